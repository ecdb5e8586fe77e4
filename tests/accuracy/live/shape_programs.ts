// SPDX-License-Identifier: Apache-2.0
// Programs for the shapes of work beyond calls: the same shape in several runtimes, each with plans
// in which that shape is what matters. The letters are explained in node_shapes.mjs.

import type { Need } from "../../support/requirements.ts";
import { behindHaproxyHttp2, behindNginxPhp, overNats, overRedis } from "./start_behind.ts";
import type { Program } from "./programs.ts";
import {
  behindHaproxy,
  behindNginx,
  calling,
  go,
  node,
  python,
  type Start,
} from "./start_program.ts";

type Env = Readonly<Record<string, string>>;
interface Runtime {
  readonly name: string;
  readonly start: (env?: Env) => Start;
  readonly needs: readonly Need[];
}

const runtimes: readonly Runtime[] = [
  { name: "node", start: (env) => node("node_shapes.mjs", env), needs: [] },
  { name: "asyncio", start: (env) => python("asyncio_shapes.py", env), needs: ["python"] },
  { name: "go", start: (env) => go("go_shapes.go", env), needs: ["go_net"] },
];

/** What each runtime is asked for, by the name of the shape. */
const shapes = [
  ["timers", "waits between calls", ["t.r", "r.t.h", "t.h.t.r"]],
  ["caches", "calls that a cache sometimes saves", ["c.h", "c.c", "h.c"]],
  ["retries", "calls given up after 4 ms, and tried again", ["x", "r.x", "x.h"]],
  ["leaving", "a third of the clients gone before the answer", ["r.h.r", "h.r", "r.h.r!"]],
  ["background", "calls after the answer", ["r.b.h", "r.b.t.r", "h.b.r", "r.h"]],
  ["streams", "answers in parts, with calls in between", ["r.s.h.s.r", "h.s.r.s.t.r", "r.h"]],
  ["dns", "names looked up before calls", ["d.h", "d.r", "r.d.h"]],
] as const;

const shapePrograms: Program[] = shapes.flatMap(([shape, what, plans]) =>
  runtimes.map(({ name, start, needs }) => ({
    ...{ name: `${name}_${shape}`, what: `${name}: ${what}`, needs, start: start(), plans },
  }))
);

const sequential = ["r", "h", "r.h", "h.r", "r.h.r", "-"];
const short = ["n", "r.n", "n.r"];
const pipelined = { load: { pipelined: 4 } };
const withIds = { load: { withIds: true } };
const inner = { NEXT_PLAN: "r.h" };

export const SHAPE_PROGRAMS: readonly Program[] = [
  ...shapePrograms,
  {
    name: "nested",
    what: "Node calls asyncio, which calls Go, which calls",
    start: calling(
      calling(go("go_shapes.go"), python("asyncio_shapes.py", inner)),
      node("node_shapes.mjs", { NEXT_PLAN: "r.n" }),
    ),
    ...{ needs: ["python", "go_net"], plans: short },
  },
  ...([
    ["node", node("node_pool.mjs", { POOL: "64" }), [], sequential],
    ["go", go("go_http.go"), ["go"], sequential],
    ["python_threads", python("python_threads.py"), ["python"], ["r", "h", "rp", "hr", "rhr", "-"]],
  ] as const).map(([name, start, needs, plans]) => ({
    ...{ name: `${name}_pipelined`, what: `${name}: clients that send four requests at once` },
    ...{ needs, start, plans, ...pipelined },
  })),
  {
    name: "node_http2",
    what: "Node calls Node over one connection of HTTP/2",
    start: calling(
      node("node_shapes.mjs", { SERVE: "http2" }),
      node("node_shapes.mjs", { ...inner, NEXT: "http2" }),
    ),
    ...{ needs: [], plans: short },
  },
  {
    name: "go_http2",
    what: "Go calls Go over one connection of HTTP/2",
    start: calling(
      go("go_shapes.go", { SERVE: "http2" }),
      go("go_shapes.go", { ...inner, NEXT: "http2" }),
    ),
    ...{ needs: ["go_net"], plans: short },
  },
  ...([
    ["go_grpc", "Go calls Go over one connection of gRPC", {}],
    ["go_grpc_workers", "the same, with eight goroutines that work on calls", { WORKERS: "8" }],
  ] as const).map(([name, what, env]) => ({
    ...{ name, what },
    start: calling(
      go("go_grpc.go", { SERVE: "grpc", ...env }),
      go("go_grpc.go", inner),
    ),
    needs: ["go_grpc"] as const,
    plans: [...short, "nr.b.h"],
  })),
  {
    name: "haproxy_http2",
    what: "HAProxy in front of Node, over HTTP/2 between them",
    start: behindHaproxyHttp2(node("node_shapes.mjs", { SERVE: "http2" })),
    ...{ needs: ["haproxy"], plans: sequential },
  },
  {
    name: "nginx_php",
    what: "nginx in front of PHP-FPM, 16 processes",
    start: behindNginxPhp,
    ...{ needs: ["nginx", "php"], plans: sequential },
  },
  {
    name: "node_queue",
    what: "Node, NATS and Node, which calls for each message",
    start: overNats((env) => node("node_queue.mjs", env)),
    ...{ needs: ["nats"], plans: ["r", "h", "rh", "hr"] },
  },
  {
    name: "threads_queue",
    what: "threaded Python, NATS and a thread that calls for one message after the other",
    start: overNats((env) => python("queue_threads.py", env)),
    ...{ needs: ["nats", "python"], plans: ["r", "h", "rh", "hr"] },
  },
  {
    name: "threads_list",
    what: "threaded Python, a list of Redis and four threads that pop elements and call for them",
    start: overRedis((env) => python("list_threads.py", env)),
    ...{ needs: ["python"], plans: ["r", "h", "rh", "hr"] },
  },
  {
    name: "nginx_ids",
    what: "nginx in front of Node, requests with an X-Request-ID",
    start: behindNginx(node("node_pool.mjs", { POOL: "64" })),
    ...{ needs: ["nginx"], plans: sequential, ...withIds },
  },
  {
    name: "haproxy_ids",
    what: "HAProxy in front of Node, requests with an X-Request-ID",
    start: behindHaproxy(node("node_pool.mjs", { POOL: "64" })),
    ...{ needs: ["haproxy"], plans: sequential, ...withIds },
  },
];
