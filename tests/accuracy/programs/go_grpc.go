// SPDX-License-Identifier: Apache-2.0
// Go with google.golang.org/grpc. Letters of a plan, one after the other: r Redis, h HTTP, n the
// next service, over gRPC, all calls on one connection; b the answer goes out and a goroutine works
// on. SERVE=grpc: this one is such a service; its methods are plan and token. WORKERS=n: so many
// goroutines, started before, work on its calls.

package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"google.golang.org/grpc"
)

// What is sent as it is: no message needs to be generated.
type raw struct{}

func (raw) Marshal(v interface{}) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v interface{}) error {
	*v.(*[]byte) = data
	return nil
}
func (raw) Name() string   { return "raw" }
func (raw) String() string { return "raw" }

var (
	logFile, _ = os.OpenFile(os.Getenv("LOG"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	client     = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	idle       = make(chan net.Conn, 256)
	next       *grpc.ClientConn
)

func redis(token string) {
	var connection net.Conn
	select {
	case connection = <-idle:
	default:
		opened, err := net.Dial("tcp", "127.0.0.1:"+os.Getenv("REDIS_PORT"))
		if err != nil {
			panic(err)
		}
		connection = opened
	}
	fmt.Fprintf(connection, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len(token), token)
	bufio.NewReader(connection).ReadString('\n')
	idle <- connection
}

func step(letter rune, fresh func() string) {
	switch letter {
	case 'r':
		redis(fresh())
	case 'h':
		response, err := client.Get("http://127.0.0.1:" + os.Getenv("LEAF_PORT") + "/leaf/" + fresh())
		if err == nil {
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
	case 'n':
		asked, answered := []byte("please"), []byte{}
		method := "/" + os.Getenv("NEXT_PLAN") + "/" + fresh()
		if err := next.Invoke(context.Background(), method, &asked, &answered); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// Does what a path says, and returns what is left for later.
func work(path string) func() {
	parts := strings.Split(path, "/")
	fresh := func() string {
		bytes := make([]byte, 6)
		rand.Read(bytes)
		logFile.WriteString(parts[2] + " " + hex.EncodeToString(bytes) + "\n")
		return hex.EncodeToString(bytes)
	}
	now, later, _ := strings.Cut(parts[1], "b")
	for _, letter := range now {
		step(letter, fresh)
	}
	return func() {
		for _, letter := range later {
			step(letter, fresh)
		}
	}
}

func answerCall(_ interface{}, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	asked, answered := []byte{}, []byte("ok")
	if err := stream.RecvMsg(&asked); err != nil {
		return err
	}
	later := work(method)
	defer func() { go later() }()
	return stream.SendMsg(&answered)
}

func main() {
	if os.Getenv("SERVE") == "grpc" {
		listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
		if err != nil {
			panic(err)
		}
		workers, _ := strconv.Atoi(os.Getenv("WORKERS"))
		server := grpc.NewServer(
			grpc.CustomCodec(raw{}),
			grpc.UnknownServiceHandler(answerCall),
			grpc.NumStreamWorkers(uint32(workers)),
		)
		panic(server.Serve(listener))
	}
	next, _ = grpc.Dial(
		"127.0.0.1:"+os.Getenv("NEXT_PORT"),
		grpc.WithInsecure(),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})),
	)
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		later := work(request.URL.Path)
		response.Write([]byte("ok"))
		go later()
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
