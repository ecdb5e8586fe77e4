/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which goroutine works on, or sends, the request of which stream, where requests share a
 * connection: HTTP/2 of net/http and golang.org/x/net, and google.golang.org/grpc.
 *
 * One goroutine reads all requests of such a connection and one writes them all. Who works on one
 * is caught by uprobes where it begins; the number of the stream lies where the arguments point. It
 * is told with the address of the object for the connection; user space believes it if such a
 * stream is open. Only the beginnings of structs are read, which versions have left as they are.
 */
#ifndef SPANDREL_GO_STREAM_BPF_H
#define SPANDREL_GO_STREAM_BPF_H

#define STREAM_ID_AT 8 /* struct stream of HTTP/2: *serverConn, id */

/* Streams that clients open have odd numbers of 31 bits. */
static __always_inline __u32 stream_number(__u64 word)
{
	return word & 1 && word < 1ULL << 31 ? word : 0;
}

/* The running goroutine does something for a stream of an object, which is told once. */
static __noinline int tell_task(struct thread_state *thread, const struct told_task *does)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct coroutine_state *state;
	__u64 g, id;

	if (!thread || !does)
		return 0;
	g = g_of_thread(&thread->go, task);
	id = goid_of(&thread->go, g);
	if (!id || !does->object)
		return 0;
	state = know(&thread->go, g, id, task);
	if (state && state->object == does->object && state->stream == does->stream)
		return 0;
	if (state) {
		state->told = 1;
		state->object = does->object;
		state->stream = does->stream;
	}
	tell_coroutine_task(task, id, does);
	return 0;
}

/* State of the thread, if it runs a goroutine of a program that is recorded. */
static __always_inline struct thread_state *go_thread(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_state *thread;

	if (control.paused)
		return NULL;
	thread = this_thread(task);
	if (!thread || !thread_wanted(thread, task) || !thread->go.goid_at)
		return NULL;
	return thread;
}

/* (*serverConn).readFrames(), (*http2Server).HandleStreams(…), (*http2Client).reader(…) */
static __always_inline int connection_read(struct pt_regs *ctx)
{
	struct thread_state *thread = go_thread();
	struct told_task does = { .what = COROUTINE_TASK_READS };

	if (!thread)
		return 0;
	does.object = go_argument(ctx, &thread->go, 0);
	return tell_task(thread, &does);
}

/* (*serverConn).runHandler(rw *responseWriter, …), whose rws.stream is the stream */
static __always_inline int stream_handled(struct pt_regs *ctx)
{
	struct thread_state *thread = go_thread();
	struct told_task does = { .what = COROUTINE_TASK_HANDLES };
	__u64 stream;

	if (!thread)
		return 0;
	does.object = go_argument(ctx, &thread->go, 0);
	stream = read_word(read_word(go_argument(ctx, &thread->go, 1)));
	if (!stream || read_word(stream) != does.object)
		return 0;
	does.stream = stream_number((__u32)read_word(stream + STREAM_ID_AT));
	return does.stream ? tell_task(thread, &does) : 0;
}

/* Number of a stream of gRPC: it comes first, or first in a struct that is pointed to first. */
static __always_inline __u32 rpc_stream(__u64 stream)
{
	__u64 word = read_word(stream);

	return stream_number(word < 1ULL << 32 ? word : read_word(word));
}

/* (*Server).handleStream(t ServerTransport, stream *Stream, …); t is an interface: two words */
static __always_inline int rpc_handled(struct pt_regs *ctx)
{
	struct thread_state *thread = go_thread();
	struct told_task does = { .what = COROUTINE_TASK_HANDLES };

	if (!thread)
		return 0;
	does.object = go_argument(ctx, &thread->go, 2);
	does.stream = rpc_stream(go_argument(ctx, &thread->go, 3));
	return does.stream ? tell_task(thread, &does) : 0;
}

/* (*http2Client).Write(s *Stream, …): the caller of NewStream sends its message */
static __always_inline int rpc_sent(struct pt_regs *ctx)
{
	struct thread_state *thread = go_thread();
	struct told_task does = { .what = COROUTINE_TASK_SENDS };

	if (!thread)
		return 0;
	does.object = go_argument(ctx, &thread->go, 0);
	does.stream = rpc_stream(go_argument(ctx, &thread->go, 1));
	return does.stream ? tell_task(thread, &does) : 0;
}

#endif
