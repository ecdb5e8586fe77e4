/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The portable path: enter and exit of the ten calls, joined in the thread's state. For kernels
 * without the socket length tracepoints; sees no sendfile, splice or io_uring, no 32-bit callers.
 */
#ifndef SPANDREL_PORTABLE_BPF_H
#define SPANDREL_PORTABLE_BPF_H

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define MMSG_MAX 32 /* the kernel allows 33 tail calls in a row */
#define MSG_LEN_AT 56 /* msg_len in struct mmsghdr */

static __always_inline struct file *file_of(struct task_struct *task, __u32 fd)
{
	struct fdtable *table = task->files->fdt;
	struct file *file = NULL;

	if (fd >= table->max_fds)
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), (void *)((__u64)table->fd + fd * sizeof(file)));
	return file;
}

static __always_inline bool is_socket(struct file *file)
{
	return (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) == S_IFSOCK;
}

/* A pointer that is the key of a known socket belongs to one; others are looked at closely. */
static __always_inline struct sock *sock_of_descriptor(struct task_struct *task, __u32 fd,
						       struct file **file)
{
	struct socket *socket;
	struct sock *sk;

	*file = file_of(task, fd);
	if (!*file)
		return NULL;
	socket = BPF_CORE_READ(*file, private_data);
	if (!socket)
		return NULL;
	sk = BPF_CORE_READ(socket, sk);
	if (!sk || (!known_socket(sk) && !is_socket(*file)))
		return NULL;
	return sk;
}

static __always_inline __u8 direction_of(__u32 call)
{
	return call >= CALL_WRITE ? DIRECTION_EGRESS : DIRECTION_INGRESS;
}

static __always_inline __u32 tcp_counter_of(struct sock *sk, __u8 direction)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	if (direction == DIRECTION_EGRESS)
		return BPF_CORE_READ(tcp, write_seq);
	return BPF_CORE_READ(tcp, copied_seq);
}

static __always_inline __u32 message_flags(__u32 call, const __u64 *args)
{
	switch (call) {
	case CALL_RECVFROM:
	case CALL_RECVMMSG:
		return args[3];
	case CALL_RECVMSG:
		return args[2];
	}
	return 0;
}

/* Sockets but TCP's tell no end: an address with another inode is another socket. */
static __always_inline struct socket_state *open_portable(struct sock *sk, struct file *file,
							  __u8 direction,
							  struct task_struct *task)
{
	struct socket_state *state = known_socket(sk);
	struct thread_state *thread;
	__u64 inode;

	if (state && state->flow.protocol == IPPROTO_TCP)
		return state;
	inode = BPF_CORE_READ(file, f_inode, i_ino);
	if (state && state->inode == inode)
		return state;
	if (!family_wanted(BPF_CORE_READ(sk, __sk_common.skc_family)))
		return NULL;
	thread = this_thread(task);
	if (!thread || !thread_wanted(thread, task))
		return NULL;
	state = this_socket(sk);
	if (!state)
		return NULL;
	if (!state->flow.cookie || state->inode) {
		__builtin_memset(state, 0, sizeof(*state));
		open_socket(state, sk, own_cookie(sk, inode));
		begin_socket(state, sk, direction, task);
	}
	state->inode = inode;
	return state;
}

/* A program may not read arguments that a tracepoint of it does not have: count says how many. */
static __always_inline int call_entered(struct trace_event_raw_sys_enter *ctx, const int count)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 via = VIA_CALL, call = call_of_number(ctx->id, &via);
	struct thread_state *thread;
	struct socket_state *state;
	struct file *file;
	struct sock *sk;
	__u64 args[6] = {};

	if (control.paused)
		return 0;
	for (int i = 0; i < count; i++)
		args[i] = ctx->args[i];
	sk = sock_of_descriptor(task, args[0], &file);
	if (!sk || message_flags(call, args) & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	state = open_portable(sk, file, direction_of(call), task);
	if (!state || state->outside || state->ended)
		return 0;
	if (is_ignored(state)) {
		if (direction_of(call) == DIRECTION_INGRESS && (thread = known_thread(task)))
			thread->turn++;
		return 0;
	}
	thread = this_thread(task);
	if (!thread || !thread_wanted(thread, task))
		return 0;
	if (thread->open.sock)
		count_drop(DROP_ENTER_WITHOUT_EXIT);
	thread->open.sock = (__u64)sk;
	thread->open.call = call;
	thread->open.next = 0;
	thread->open.start_ns = bpf_ktime_get_boot_ns();
	for (int i = 0; i < 6; i++)
		thread->open.args[i] = args[i];
	if (state->flow.protocol == IPPROTO_TCP)
		thread->open.seq = tcp_counter_of(sk, direction_of(call));
	return 0;
}

/* Exact when nobody else moved the counter between enter and exit. */
static __always_inline void place_portable(struct socket_state *state, struct message *m,
					   struct thread_state *thread, struct sock *sk)
{
	struct stream *stream = stream_of(state, m);
	__u32 after, first = thread->open.seq;

	if (state->flow.protocol != IPPROTO_TCP) {
		place_by_bytes(stream, m);
		return;
	}
	after = tcp_counter_of(sk, m->direction);
	if (m->direction == DIRECTION_INGRESS && after == thread->open.after + 1)
		after--; /* the FIN's number */
	if (!m->length && first == stream->seq_next + 1)
		first--; /* end of stream, read again */
	if (thread->open.after == after)
		place_exactly(stream, m, first);
	else
		place_by_guess(stream, m, after);
}

static __always_inline void record_portable(struct socket_state *state, struct sock *sk,
					    struct message *m, struct call_args *args,
					    struct thread_state *thread, __u64 now)
{
	struct datagram_peer peer = {};
	bool own;

	m->start_ns = thread->open.start_ns;
	m->flags = DATA_START_KNOWN;
	read_message(m, args);
	place_portable(state, m, thread, sk);
	if (state->flow.type == SOCK_DGRAM && state->flow.family != AF_UNIX)
		read_ends(&state->flow, sk);
	own = own_peer(&peer, m, state);
	if (!datagram_wanted(&state->flow, own ? &peer : NULL))
		return;
	find_coroutine(thread, m);
	note_reading(thread, bpf_get_current_task_btf(), m, state->flow.role);
	if (!m->length)
		m->flags |= end_flags(BPF_CORE_READ(sk, sk_shutdown));
	emit_message(state, m, thread, own ? &peer : NULL, now);
}

/* Bytes of the i-th message: the call's result, or what an mmsg call wrote into its entry. */
static __always_inline long length_of(const struct call_args *args, __u32 i, long ret)
{
	__u32 length;

	if (!call_is_mmsg(args->call))
		return ret;
	if (bpf_probe_read_user(&length, sizeof(length),
				(void *)(args->arg[1] + i * MMSGHDR64_BYTES + MSG_LEN_AT)))
		return -1;
	return length;
}

/*
 * Messages of an mmsg call are recorded one by one: each run of call_exit takes one and calls
 * call_exit again, which user space puts here.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} next_message SEC(".maps");

/* The counter's value after the call if nobody else moved it. */
static __always_inline __u32 expected_after(struct thread_state *thread,
					    const struct call_args *args, long ret)
{
	__u32 after = thread->open.seq;

	if (!call_is_mmsg(args->call))
		return after + ret;
	for (__u32 i = 0; i < MMSG_MAX && i < ret; i++) {
		long length = length_of(args, i, ret);

		if (length > 0)
			after += length;
	}
	return after;
}

static __always_inline void call_next_message(void *ctx, struct thread_state *thread,
					      __u32 messages)
{
	thread->open.next++;
	if (thread->open.next < messages && thread->open.next < MMSG_MAX)
		bpf_tail_call(ctx, &next_message, 0);
	thread->open.sock = 0;
	for (__u32 i = MMSG_MAX; i < messages && i < 1024; i++)
		count_drop(DROP_MMSG);
}

static __always_inline int call_left(struct trace_event_raw_sys_exit *ctx)
{
	struct thread_state *thread = known_thread(bpf_get_current_task_btf());
	struct call_args args = { .via = VIA_CALL };
	struct socket_state *state;
	struct message *m;
	struct sock *sk;
	long length;

	if (!thread || !thread->open.sock)
		return 0;
	sk = (struct sock *)thread->open.sock;
	state = known_socket(sk);
	if (ctx->ret < 0 || !state) {
		thread->open.sock = 0;
		return 0;
	}
	m = &thread->message;
	__builtin_memset(m, 0, sizeof(*m));
	args.call = thread->open.call;
	for (int i = 0; i < 6; i++)
		args.arg[i] = thread->open.args[i];
	m->mmsg_index = thread->open.next;
	if (!m->mmsg_index)
		thread->open.after = expected_after(thread, &args, ctx->ret);
	m->direction = direction_of(args.call);
	m->discarded = state->flow.type == SOCK_STREAM &&
		      message_flags(args.call, args.arg) & MSG_TRUNC;
	length = length_of(&args, m->mmsg_index, ctx->ret);
	m->length = length;
	if (length > 0 || (!length && end_of_stream(state, m->direction,
						    BPF_CORE_READ(sk, sk_shutdown))))
		record_portable(state, sk, m, &args, thread, bpf_ktime_get_boot_ns());
	thread->open.seq += m->length;
	if (call_is_mmsg(args.call))
		call_next_message(ctx, thread, ctx->ret);
	else
		thread->open.sock = 0;
	return 0;
}

#endif
