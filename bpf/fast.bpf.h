/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fast path: sock_send_length and sock_recv_length fire once per message for every socket
 * family, at the end of the call, in the caller's context. Other descriptors cost nothing.
 */
#ifndef SPANDREL_FAST_BPF_H
#define SPANDREL_FAST_BPF_H

static __always_inline struct socket_state *first_message(struct sock *sk, __u8 direction,
							  __u64 now)
{
	struct socket_state *state;

	if (!family_wanted(sk->__sk_common.skc_family))
		return NULL;
	state = bpf_sk_storage_get(&sockets, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!state) {
		count_drop(DROP_SOCKET_STORAGE);
		return NULL;
	}
	open_socket(state, sk, bpf_get_socket_cookie(sk));
	state->flow.conn_start_ns = now;
	if (state->flow.protocol == IPPROTO_TCP)
		join_midstream(state, sk);
	else if (state->flow.family != AF_UNIX)
		state->flow.role = direction == DIRECTION_EGRESS ? ROLE_CLIENT : ROLE_SERVER;
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

static __always_inline void forget_call(struct thread_state *thread)
{
	thread->send_sock = 0;
	thread->mmsg_vector = 0;
	thread->datagram.sock_found = 0;
}

static __always_inline void remember_owner(struct socket_state *state, struct task_struct *task)
{
	state->owner.tgid = task->tgid;
	state->owner.exec_count = task->self_exec_id;
	state->owner.leader_start_ns = task->group_leader->start_boottime;
}

/* Peer of this one datagram: the kernel's copy at ingress, the caller's sockaddr at egress. */
static __always_inline bool own_ends(struct datagram_ends *ends, struct message *m,
				     struct thread_state *thread, struct socket_state *state)
{
	if (state->flow.type != SOCK_DGRAM || state->flow.family == AF_UNIX ||
	    state->flow.peer_port)
		return false;
	if (m->direction == DIRECTION_EGRESS)
		return m->name && !read_sockaddr(ends, m->name, state->flow.family);
	if (!thread->datagram.sock_found)
		return false;
	*ends = thread->datagram;
	return true;
}

static __always_inline void record(struct socket_state *state, struct sock *sk, __u32 length,
				   int flags, __u8 direction, struct thread_state *thread)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct message m = { .length = length, .direction = direction };
	struct datagram_ends ends;
	struct call_args args;
	__u64 now = bpf_ktime_get_boot_ns();
	bool known = false, has_ends;
	__u32 want;

	read_args(&args, task);
	if (call_is_mmsg(args.call))
		count_mmsg(&m, thread, &args);
	read_message(&m, &args);
	if (direction == DIRECTION_EGRESS && thread->send_sock == (__u64)sk) {
		known = true;
		m.start_ns = thread->send_start_ns;
		m.flags |= DATA_START_KNOWN;
		if (m.call == CALL_NONE)
			m.buffer = thread->send_buffer;
	}
	place_message(state, &m, sk, known, thread->send_seq, now);
	if (state->flow.type == SOCK_DGRAM && state->flow.family != AF_UNIX)
		read_ends(&state->flow, sk);
	if (!length)
		m.flags |= DATA_EOF;
	refresh_verdict(state);
	want = bytes_wanted(state, direction);
	if (want > length)
		want = length;
	if (flags & MSG_TRUNC && state->flow.type == SOCK_STREAM)
		want = 0;
	if (want && !m.buffer.base && !m.buffer.vector) {
		m.flags |= DATA_NO_BUFFER;
		want = 0;
	}
	if (want)
		want = spend(state, &m, want, now);
	unwrap_vector(&m.buffer);
	has_ends = own_ends(&ends, &m, thread, state);
	emit_data(state, &m, want, thread, has_ends ? &ends : NULL, now);
	remember_owner(state, task);
	state->last_direction = direction;
	state->last_ns = now;
}

static __always_inline int message_passed(struct sock *sk, int ret, int flags, __u8 direction)
{
	struct socket_state *state;
	struct thread_state *thread;

	if (control.paused)
		return 0;
	if (ret < 0 || flags & (MSG_PEEK | MSG_ERRQUEUE)) {
		thread = known_thread();
		if (thread)
			forget_call(thread);
		return 0;
	}
	state = bpf_sk_storage_get(&sockets, sk, 0, 0);
	if (!state)
		state = first_message(sk, direction, bpf_ktime_get_boot_ns());
	if (!state || state->outside)
		return 0;
	if (ret == 0 && (direction == DIRECTION_EGRESS || state->flow.type == SOCK_DGRAM))
		return 0;
	if (still_ignored(state)) {
		if (direction == DIRECTION_INGRESS && (thread = known_thread()))
			thread->turn++;
		return 0;
	}
	thread = this_thread();
	if (!thread || !thread_wanted(thread))
		return 0;
	state->events++;
	record(state, sk, ret, flags, direction, thread);
	thread->send_sock = 0;
	thread->datagram.sock_found = 0;
	return 0;
}

/* The buffer as the kernel sees it: the only way to the bytes of an io_uring send. */
static __always_inline void read_iter(struct user_buffer *b, struct iov_iter *iter)
{
	__builtin_memset(b, 0, sizeof(*b));
	if (iter->iov_offset)
		return;
	if (iter->iter_type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
		b->base = (__u64)iter->ubuf;
		b->bytes = iter->count;
	} else if (iter->iter_type == bpf_core_enum_value(enum iter_type, ITER_IOVEC) &&
		   iter->nr_segs == 1) {
		b->base = (__u64)BPF_CORE_READ(iter, __iov, iov_base);
		b->bytes = BPF_CORE_READ(iter, __iov, iov_len);
	}
}

/* First hit of a send: the socket is locked, so write_seq is where its first byte will stand. */
static __always_inline int send_started(struct sock *sk, struct msghdr *msg)
{
	struct thread_state *thread = known_thread();
	struct tcp_sock *tcp;

	if (!thread || thread->send_sock == (__u64)sk)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return 0;
	thread->send_sock = (__u64)sk;
	thread->send_seq = tcp->write_seq;
	thread->send_start_ns = bpf_ktime_get_boot_ns();
	read_iter(&thread->send_buffer, &msg->msg_iter);
	return 0;
}

#endif
