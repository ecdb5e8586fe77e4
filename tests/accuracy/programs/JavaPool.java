// SPDX-License-Identifier: Apache-2.0
// The JDK's HTTP server on a fixed pool of threads. CALLS=same: the thread that read the request
// calls and answers; handoff: it hands its calls to a fixed pool of eight and waits; async: calls
// follow each other as CompletableFutures on the threads of the HTTP client, the last one answers.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;

public class JavaPool {
    record Call(char letter, String token) {}

    static final ExecutorService callers = Executors.newFixedThreadPool(8);
    static final HttpClient client =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    static final ThreadLocal<Socket> redis = ThreadLocal.withInitial(() -> {
        try {
            return new Socket("127.0.0.1", Integer.parseInt(System.getenv("REDIS_PORT")));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    });

    static void askRedis(String token) {
        try {
            String text = "*2\r\n$3\r\nGET\r\n$" + token.length() + "\r\n" + token + "\r\n";
            redis.get().getOutputStream().write(text.getBytes());
            redis.get().getInputStream().read(new byte[64]);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    static URI leaf(String token) {
        return URI.create("http://127.0.0.1:" + System.getenv("LEAF_PORT") + "/leaf/" + token);
    }

    /** HttpURLConnection writes and reads on the thread that calls. */
    static void askHttp(String token) {
        try (var answer = leaf(token).toURL().openStream()) {
            answer.readAllBytes();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    static void ask(Call call) {
        if (call.letter == 'r') askRedis(call.token);
        else askHttp(call.token);
    }

    static CompletableFuture<?> askLater(Call call) {
        if (call.letter == 'r') return CompletableFuture.runAsync(() -> askRedis(call.token), callers);
        return client.sendAsync(HttpRequest.newBuilder(leaf(call.token)).build(), BodyHandlers.ofString());
    }

    static void answer(HttpExchange exchange) {
        try (exchange) {
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write("ok".getBytes());
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    static void serve(HttpExchange exchange) {
        String[] parts = exchange.getRequestURI().getPath().split("/");
        List<Call> calls = new ArrayList<>();
        StringBuilder line = new StringBuilder(parts[2]);
        for (char letter : parts[1].toCharArray()) {
            if (letter < 'a') continue;
            long random = ThreadLocalRandom.current().nextLong() & 0xffff_ffff_ffffL;
            calls.add(new Call(letter, String.format("%012x", random)));
            line.append(' ').append(calls.get(calls.size() - 1).token);
        }
        try {
            Files.writeString(Path.of(System.getenv("LOG")), line.append('\n'),
                StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            switch (System.getenv("CALLS")) {
                case "handoff" -> {
                    for (Call call : calls) callers.submit(() -> ask(call)).get();
                    answer(exchange);
                }
                case "async" -> {
                    CompletableFuture<?> last = CompletableFuture.completedFuture(null);
                    for (Call call : calls) last = last.thenCompose(done -> askLater(call));
                    last.thenRun(() -> answer(exchange));
                }
                default -> {
                    calls.forEach(JavaPool::ask);
                    answer(exchange);
                }
            }
        } catch (Exception error) {
            throw new RuntimeException(error);
        }
    }

    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 512);
        server.setExecutor(Executors.newFixedThreadPool(16));
        server.createContext("/", JavaPool::serve);
        server.start();
    }
}
