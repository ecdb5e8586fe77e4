// SPDX-License-Identifier: Apache-2.0
// Where the kernel programs are hooked in, what each gives, and which paths use it.

export type CapturePath = "fast" | "portable";

export type Place =
  /** A tracepoint reached through BTF. */
  | { readonly kind: "btf"; readonly tracepoint: string }
  /** A function of programs, attached to each program file in which it is found. */
  | { readonly kind: "function"; readonly name: string }
  /** A hook at the root of cgroup v2. */
  | { readonly kind: "cgroup" }
  /** One program at the tracepoints of several system calls; needs tracefs to attach. */
  | {
    readonly kind: "syscalls";
    readonly edge: "enter" | "exit";
    readonly calls: readonly string[];
  };

export interface Hook {
  readonly program: string;
  readonly place: Place;
  /** Paths that use it. */
  readonly paths: readonly CapturePath[];
  /**
   * always: without it the path cannot work; when there: the path works without it; asked:
   * attached once a message needs it; turns: only when turns are wanted; found: attached to
   * programs as they are found.
   */
  readonly attach: "always" | "when there" | "asked" | "turns" | "found";
  readonly gives: string;
  /** First kernel that has the place. */
  readonly since: string;
}

/** The ten calls: those of which three arguments are enough, and the others. */
const CALLS = ["read", "readv", "recvmsg", "write", "writev", "sendmsg", "sendmmsg"] as const;
const WIDE_CALLS = ["recvfrom", "recvmmsg", "sendto"] as const;

/** epoll_pwait2 last: it is the newest, and the others stay attached where it is missing. */
const POLL_CALLS = [
  "epoll_wait",
  "epoll_pwait",
  "poll",
  "ppoll",
  "select",
  "pselect6",
  "epoll_pwait2",
] as const;

const BOTH = ["fast", "portable"] as const;
const FAST = ["fast"] as const;
const PORTABLE = ["portable"] as const;

/** In the order in which they are attached: what tells the life of things comes first. */
export const HOOKS: readonly Hook[] = [
  {
    program: "process_fork",
    place: { kind: "btf", tracepoint: "sched_process_fork" },
    paths: BOTH,
    attach: "always",
    gives: "new processes",
    since: "5.12",
  },
  {
    program: "process_exec",
    place: { kind: "btf", tracepoint: "sched_process_exec" },
    paths: BOTH,
    attach: "always",
    gives: "program names and arguments, of short-lived processes too",
    since: "5.12",
  },
  {
    program: "process_exit",
    place: { kind: "btf", tracepoint: "sched_process_exit" },
    paths: BOTH,
    attach: "always",
    gives: "ends of processes and threads",
    since: "5.12",
  },
  {
    program: "socket_state_change",
    place: { kind: "btf", tracepoint: "inet_sock_set_state" },
    paths: BOTH,
    attach: "always",
    gives: "role, start and end of TCP connections",
    since: "5.12",
  },
  {
    program: "socket_destroy",
    place: { kind: "btf", tracepoint: "tcp_destroy_sock" },
    paths: BOTH,
    attach: "always",
    gives: "ends of connections of which bytes were read after the peer had closed",
    since: "5.12",
  },
  {
    program: "socket_send",
    place: { kind: "btf", tracepoint: "sock_send_length" },
    paths: FAST,
    attach: "always",
    gives: "everything written to sockets, by sendfile, splice and io_uring too",
    since: "6.3",
  },
  {
    program: "socket_receive",
    place: { kind: "btf", tracepoint: "sock_recv_length" },
    paths: FAST,
    attach: "always",
    gives: "everything read from sockets, but no bytes of io_uring reads and no splice out of one",
    since: "6.3",
  },
  {
    program: "tcp_send_start",
    place: { kind: "btf", tracepoint: "tcp_sendmsg_locked" },
    paths: FAST,
    attach: "asked",
    gives: "exact sequence numbers when writers race, start of sends, bytes of io_uring sends",
    since: "6.16",
  },
  {
    program: "datagram_sender4",
    place: { kind: "cgroup" },
    paths: FAST,
    attach: "when there",
    gives: "senders of IPv4 datagrams to sockets that are not connected",
    since: "5.12",
  },
  {
    program: "datagram_sender6",
    place: { kind: "cgroup" },
    paths: FAST,
    attach: "when there",
    gives: "senders of IPv6 datagrams to sockets that are not connected",
    since: "5.12",
  },
  {
    program: "call_enter",
    place: { kind: "syscalls", edge: "enter", calls: CALLS },
    paths: PORTABLE,
    attach: "always",
    gives: "starts of the calls that read and write sockets",
    since: "5.12",
  },
  {
    program: "call_enter_wide",
    place: { kind: "syscalls", edge: "enter", calls: WIDE_CALLS },
    paths: PORTABLE,
    attach: "always",
    gives: "starts of recvfrom, recvmmsg and sendto",
    since: "5.12",
  },
  {
    program: "call_exit",
    place: { kind: "syscalls", edge: "exit", calls: [...CALLS, ...WIDE_CALLS] },
    paths: PORTABLE,
    attach: "always",
    gives: "results and bytes of those calls; no sendfile, splice, io_uring, 32-bit programs",
    since: "5.12",
  },
  {
    program: "poll_exit",
    place: { kind: "syscalls", edge: "exit", calls: POLL_CALLS },
    paths: BOTH,
    attach: "turns",
    gives: "turns of event loops, which tell requests of one thread apart",
    since: "5.12",
  },
  {
    program: "thread_waking",
    place: { kind: "btf", tracepoint: "sched_waking" },
    paths: BOTH,
    attach: "when there",
    gives: "which thread wakes which, where requests are handed to workers",
    since: "5.12",
  },
  {
    program: "go_called",
    place: { kind: "function", name: "net/http.(*persistConn).roundTrip" },
    paths: BOTH,
    attach: "found",
    gives: "which goroutine sends a request over a pooled HTTP connection of a Go program",
    since: "5.12",
  },
  {
    program: "go_passed",
    place: { kind: "function", name: "net/http.(*Transport).dialConnFor" },
    paths: BOTH,
    attach: "found",
    gives: "goroutines of Go programs between a request and the look-up of a name for it",
    since: "5.12",
  },
  {
    program: "go_spawned",
    place: { kind: "function", name: "runtime.newproc1" },
    paths: BOTH,
    attach: "found",
    gives: "who starts a goroutine in programs built by Go before 1.21",
    since: "5.12",
  },
  {
    program: "go_reads",
    place: { kind: "function", name: "net/http.(*http2serverConn).readFrames" },
    paths: BOTH,
    attach: "found",
    gives: "which goroutine reads for which connection of HTTP/2 and gRPC in Go programs",
    since: "5.12",
  },
  {
    program: "go_handles",
    place: { kind: "function", name: "net/http.(*http2serverConn).runHandler" },
    paths: BOTH,
    attach: "found",
    gives: "which goroutine works on which stream of HTTP/2 in Go programs",
    since: "5.12",
  },
  {
    program: "go_handles_rpc",
    place: { kind: "function", name: "google.golang.org/grpc.(*Server).handleStream" },
    paths: BOTH,
    attach: "found",
    gives: "which goroutine works on which call of gRPC in Go programs",
    since: "5.12",
  },
  {
    program: "go_sends_rpc",
    place: {
      kind: "function",
      name: "google.golang.org/grpc/internal/transport.(*http2Client).Write",
    },
    paths: BOTH,
    attach: "found",
    gives: "which goroutine sends which call of gRPC in Go programs",
    since: "5.12",
  },
  {
    program: "go_put",
    place: { kind: "function", name: "runtime.chansend" },
    paths: BOTH,
    attach: "found",
    gives: "what lies in a channel of a Go program is whose",
    since: "5.12",
  },
  {
    program: "go_take",
    place: { kind: "function", name: "runtime.chanrecv" },
    paths: BOTH,
    attach: "found",
    gives: "who takes what out of a channel of a Go program",
    since: "5.12",
  },
  {
    program: "go_hands",
    place: { kind: "function", name: "runtime.send" },
    paths: BOTH,
    attach: "found",
    gives: "who hands something to a goroutine that waits at a channel",
    since: "5.12",
  },
  {
    program: "go_gets",
    place: { kind: "function", name: "runtime.recv" },
    paths: BOTH,
    attach: "found",
    gives: "who gets something from a goroutine that waits at a channel",
    since: "5.12",
  },
  {
    program: "python_queued",
    place: { kind: "function", name: "PySet_Add" },
    paths: BOTH,
    attach: "found",
    gives: "which task has written what uvloop sends for it later",
    since: "5.12",
  },
];

/** Programs that look at sockets older than the tracer, in this order. */
export const SOCKET_SEEDS = ["seed_listening", "seed_sockets"] as const;

/** Program that writes a struct process_seed for each process. */
export const PROCESS_SEED = "seed_processes";
