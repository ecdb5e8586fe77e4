// SPDX-License-Identifier: Apache-2.0
// Goroutines as the kernel programs tell them, against what the goroutines say of themselves: each
// sends its own number and that of who started it.

import assert from "node:assert/strict";
import { openHostFile } from "../../ffi/host_file.ts";
import { openHostFiles } from "../../ffi/host_files.ts";
import { openLibc } from "../../ffi/libc.ts";
import { goWatch } from "../../operators/sources/coroutines/go_watch.ts";
import { runToEnd, startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { createNetns } from "../support/netns.ts";
import { watch } from "./kernel_watch.ts";

/** Starts three generations of goroutines at SIGUSR1; all of them send over one UDP socket. */
const FAMILY = `
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

var socket net.Conn

func own() string {
	text := make([]byte, 64)
	return strings.Fields(string(text[:runtime.Stack(text, false)]))[1]
}

func say(parent string) string {
	for i := 0; i < 3; i++ {
		fmt.Fprintf(socket, "%s %s", own(), parent)
		runtime.Gosched()
	}
	return own()
}

func several(run func()) {
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func() { defer all.Done(); run() }()
	}
	all.Wait()
}

func main() {
	net.ListenPacket("udp", "127.0.0.1:7001")
	socket, _ = net.Dial("udp", "127.0.0.1:7001")
	begin := make(chan os.Signal, 1)
	signal.Notify(begin, syscall.SIGUSR1)
	fmt.Println("ready")
	<-begin
	first := say("0")
	several(func() {
		second := say(first)
		several(func() { runtime.LockOSThread(); say(second) })
	})
}
`;

const BUILDS = [
  { name: "with symbols", args: [], cgo: "1" },
  { name: "stripped and movable", args: ["-ldflags=-s -w", "-buildmode=pie"], cgo: "0" },
] as const;

for (const path of ["fast", "portable"] as const) {
  for (const { name, args, cgo } of BUILDS) {
    e2e(`kernel: ${path} path tells goroutines of a program ${name}`, {
      needs: ["bpf", "netns", "go"],
    }, async () => {
      using build = await buildGo(FAMILY, { args, cgo });
      const { program } = build;
      await using netns = await createNetns();
      await using child = await startChild(program, {
        netns: netns.name,
        ready: (c) => c.stdout().includes("ready"),
      });
      using seen = watch({ path });
      using libc = openLibc();
      using go = goWatch({
        files: openHostFiles(libc),
        open: (file) => openHostFile(libc, file),
        probes: seen.capture.go,
      });
      go.meet(child.pid, program);
      assert.deepEqual(go.seen().map(({ gaps }) => gaps), [[]]);
      Deno.kill(child.pid, "SIGUSR1");
      assert.equal((await child.exited).code, 0, child.stderr());
      await seen.untilExit(child.pid);
      const sent = seen.dataOf(child.pid).filter(({ direction }) => direction === "out");
      assert.equal(sent.length, 3 * (1 + 8 + 64));
      const lines = linesOf(seen.others.filter(({ tgid }) => tgid === child.pid));
      for (const { payload, coroutine } of sent) {
        const [own = "", parent = ""] = payload.split(" ");
        assert.equal(coroutine, Number(own));
        if (parent === "0") continue;
        assert.equal(lines.get(own)?.[1], parent);
        const grandparent = lines.get(parent)?.[1];
        if (grandparent !== undefined) assert.equal(lines.get(own)?.[2], grandparent);
      }
    });
  }
}

interface Build extends Disposable {
  readonly program: string;
}

async function buildGo(
  source: string,
  { args, cgo }: { readonly args: readonly string[]; readonly cgo: string },
): Promise<Build> {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-go-" });
  const remove = () => Deno.removeSync(folder, { recursive: true });
  try {
    await Deno.writeTextFile(`${folder}/main.go`, source);
    const program = `${folder}/program`;
    await runToEnd("go", {
      args: ["build", ...args, "-o", program, `${folder}/main.go`],
      env: { CGO_ENABLED: cgo, GO111MODULE: "off" },
    });
    return { program, [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** By number, the line of each goroutine: itself, who started it, who started that. */
function linesOf(
  others: readonly {
    readonly kind: string;
    readonly fields: Readonly<Record<string, number | bigint | string>>;
  }[],
): Map<string, string[]> {
  const told = others.filter(({ kind }) => kind === "coroutine");
  return new Map(told.map(({ fields }) => {
    const line = String(fields["ancestors"]).split(" ");
    return [line[0] ?? "", line];
  }));
}
