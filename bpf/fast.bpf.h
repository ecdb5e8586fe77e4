/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fast path: sock_send_length and sock_recv_length fire once per message for every socket
 * family, at the end of the call, in the caller's context. Other descriptors cost nothing.
 */
#ifndef SPANDREL_FAST_BPF_H
#define SPANDREL_FAST_BPF_H

static __always_inline struct socket_state *first_message(struct sock *sk, __u8 direction,
							  struct task_struct *task)
{
	struct socket_state *state;

	if (!family_wanted(sk->__sk_common.skc_family))
		return NULL;
	state = this_socket(sk);
	if (!state)
		return NULL;
	open_socket(state, sk, bpf_get_socket_cookie(sk));
	begin_socket(state, sk, direction, task);
	return state;
}

/* sendmmsg and recvmmsg pass here once per message: count them. */
static __always_inline void count_mmsg(struct message *m, struct thread_state *thread,
				       const struct call_args *a)
{
	if (thread->mmsg_vector != a->arg[1])
		thread->mmsg_next = 0;
	m->mmsg_index = thread->mmsg_next++;
	thread->mmsg_vector = thread->mmsg_next < a->arg[2] ? a->arg[1] : 0;
}

/* What the send's start told, if the hook there is on: number, start, and bytes of io_uring. */
static __always_inline bool place_by_start(struct socket_state *state, struct message *m,
					   struct thread_state *thread, struct sock *sk)
{
	struct open_send *send = &thread->send;

	if (m->direction != DIRECTION_EGRESS || send->sock != (__u64)sk)
		return false;
	send->sock = 0;
	m->start_ns = send->start_ns;
	m->flags |= DATA_START_KNOWN;
	if (m->call == CALL_NONE) {
		m->buffer.base = send->base;
		m->buffer.bytes = send->bytes;
	}
	place_exactly(stream_of(state, m), m, send->seq);
	return true;
}

static __always_inline void place(struct socket_state *state, struct message *m,
				  struct thread_state *thread, struct sock *sk, __u64 now)
{
	struct tcp_counter counter = {};
	struct tcp_sock *tcp;

	if (state->flow.protocol != IPPROTO_TCP) {
		place_by_bytes(stream_of(state, m), m);
		return;
	}
	if (place_by_start(state, m, thread, sk))
		return;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return;
	counter.after = tcp->copied_seq;
	if (m->direction == DIRECTION_EGRESS)
		counter.after = tcp->write_seq;
	else
		counter.fin = sk->sk_shutdown & RCV_SHUTDOWN;
	place_tcp(stream_of(state, m), m, &counter, now);
	if (m->direction == DIRECTION_EGRESS &&
	    (m->flags & DATA_SEQ_UNCERTAIN || m->via == VIA_IO_URING))
		control.wants_send_start = 1;
}

static __always_inline void record(struct socket_state *state, struct sock *sk, __u32 length,
				   bool discarded, __u8 direction, struct thread_state *thread,
				   struct task_struct *task)
{
	struct message *m = &thread->message;
	struct datagram_peer peer = {};
	struct call_args args = {};
	__u64 now = bpf_ktime_get_boot_ns();
	bool own;

	__builtin_memset(m, 0, sizeof(*m));
	m->length = length;
	m->direction = direction;
	read_args(&args, task);
	if (call_is_mmsg(args.call))
		count_mmsg(m, thread, &args);
	read_message(m, &args);
	place(state, m, thread, sk, now);
	if (state->flow.type == SOCK_DGRAM && state->flow.family != AF_UNIX)
		read_ends(&state->flow, sk);
	own = own_peer(&peer, m, state);
	if (!datagram_wanted(&state->flow, own ? &peer : NULL))
		return;
	m->discarded = discarded;
	find_coroutine(thread, m);
	note_reading(thread, task, m, state->flow.role);
	if (!length)
		m->flags |= end_flags(sk->sk_shutdown);
	emit_message(state, m, thread, own ? &peer : NULL, now);
}

/* A send or receive that failed ends what was kept for it. */
static __always_inline int message_failed(struct task_struct *task)
{
	struct thread_state *thread = known_thread(task);

	if (thread) {
		thread->send.sock = 0;
		thread->mmsg_vector = 0;
	}
	return 0;
}

/* An ignored read is a turn; an ignored send ends what its start may have kept. */
static __always_inline int message_ignored(__u8 direction, struct task_struct *task)
{
	struct thread_state *thread;

	if (direction == DIRECTION_EGRESS && !control.wants_send_start)
		return 0;
	thread = known_thread(task);
	if (!thread)
		return 0;
	if (direction == DIRECTION_INGRESS)
		thread->turn++;
	else
		thread->send.sock = 0;
	return 0;
}

static __always_inline int message_passed(struct sock *sk, int ret, int flags, __u8 direction)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct socket_state *state;
	struct thread_state *thread;

	if (ret < 0)
		return message_failed(task);
	if (control.paused || flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	state = known_socket(sk);
	if (!state || !state->flow.cookie) {
		thread = this_thread(task);
		if (!thread || !thread_wanted(thread, task))
			return 0;
		state = first_message(sk, direction, task);
	}
	if (!state || state->outside || state->ended)
		return 0;
	if (ret == 0 && !end_of_stream(state, direction, sk->sk_shutdown))
		return 0;
	if (is_ignored(state))
		return message_ignored(direction, task);
	thread = this_thread(task);
	if (!thread || !thread_wanted(thread, task))
		return 0;
	record(state, sk, ret, flags & MSG_TRUNC && state->flow.type == SOCK_STREAM, direction,
	       thread, task);
	return 0;
}

/*
 * First hit of a send: the socket is locked, so write_seq is where its first byte will stand.
 * Costs a second program per send, so it is attached only once a message asks for it: when two
 * writers race, or io_uring sends.
 */
static __always_inline int send_started(struct sock *sk, struct msghdr *msg)
{
	struct thread_state *thread = known_thread(bpf_get_current_task_btf());
	struct iov_iter *iter = &msg->msg_iter;
	struct tcp_sock *tcp;

	if (!thread || thread->send.sock == (__u64)sk)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return 0;
	thread->send.sock = (__u64)sk;
	thread->send.seq = tcp->write_seq;
	thread->send.start_ns = bpf_ktime_get_boot_ns();
	thread->send.base = 0;
	if (iter->iter_type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
		thread->send.base = (__u64)iter->ubuf + iter->iov_offset;
		thread->send.bytes = iter->count;
	}
	return 0;
}

#endif
