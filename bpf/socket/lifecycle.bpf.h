/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Birth and death of TCP sockets by their state changes, and a look at those that were there
 * before. In state changes `current` means nothing, but in the first one of a client: on loopback
 * the client runs the server's.
 */
#ifndef SPANDREL_LIFECYCLE_BPF_H
#define SPANDREL_LIFECYCLE_BPF_H

#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_CLOSE_WAIT 8
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define ETIMEDOUT 110
#define SEND_SHUTDOWN 2

static __always_inline void socket_established(struct sock *sk, int old)
{
	struct socket_state *state;

	state = this_socket(sk);
	if (!state)
		return;
	__builtin_memset(state, 0, sizeof(*state)); /* connect again after a disconnect */
	open_socket(state, sk, bpf_get_socket_cookie(sk));
	state->flow.role = old == TCP_SYN_SENT ? ROLE_CLIENT : ROLE_SERVER;
	state->flow.conn_start_ns = bpf_ktime_get_boot_ns();
	start_sequences(state, sk);
}

/* Bytes of a direction, those that passed while the socket was ignored included. */
static __always_inline __u64 final_bytes(const struct stream *stream, __u32 counter, bool fin)
{
	__s32 unseen = counter - stream->seq_next;

	if (!stream->known)
		return stream->offset;
	if (fin && unseen > 0)
		unseen--;
	return stream->offset + (unseen > 0 ? unseen : 0);
}

static __always_inline __u8 close_reason(__u32 error, int old)
{
	if (error == ETIMEDOUT)
		return CLOSE_TIMEOUT;
	/* Without an error, a close that sent no FIN sent an RST. */
	if (error || old == TCP_ESTABLISHED || old == TCP_CLOSE_WAIT)
		return CLOSE_RESET;
	return CLOSE_ORDERLY;
}

/* Data that came before the end may still be read: then the end waits for the socket's. */
static __always_inline bool has_unread(struct sock *sk)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	__s32 unread = BPF_CORE_READ(tcp, rcv_nxt) - BPF_CORE_READ(tcp, copied_seq);

	if (BPF_CORE_READ(sk, sk_shutdown) & RCV_SHUTDOWN)
		unread--; /* the FIN's number */
	return unread > 0;
}

static __always_inline void fill_close(struct close_event *e, struct socket_state *state,
				       struct sock *sk)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	__u8 shutdown = BPF_CORE_READ(sk, sk_shutdown);

	__builtin_memset(e, 0, sizeof(*e));
	e->header.size = sizeof(*e);
	e->header.kind = EVENT_CLOSE;
	e->header.emit_ns = bpf_ktime_get_boot_ns();
	e->header.leader_start_ns = state->owner.leader_start_ns;
	e->header.tgid = state->owner.tgid;
	e->header.exec_count = state->owner.exec_count;
	__builtin_memcpy(&e->flow, &state->flow, sizeof(e->flow));
	e->bytes_ingress = final_bytes(&state->stream[DIRECTION_INGRESS],
				       BPF_CORE_READ(tcp, copied_seq), shutdown & RCV_SHUTDOWN);
	e->bytes_egress = final_bytes(&state->stream[DIRECTION_EGRESS],
				      BPF_CORE_READ(tcp, write_seq), shutdown & SEND_SHUTDOWN);
	e->events = state->events;
	e->error = state->error;
	e->reason = state->reason;
	e->srtt_us = BPF_CORE_READ(tcp, srtt_us) >> 3;
	e->retransmits = BPF_CORE_READ(tcp, total_retrans);
}

/* Says that the socket has ended; nothing of it is recorded afterwards. */
static __always_inline void end_socket(struct sock *sk, struct socket_state *state)
{
	struct close_event *e;

	if (state->ended)
		return;
	state->ended = 1;
	bpf_map_delete_elem(&verdicts, &state->flow.cookie);
	if (control.paused || state->outside || !state->events)
		return;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count_drop(DROP_RING_FULL);
		return;
	}
	fill_close(e, state, sk);
	bpf_ringbuf_submit(e, wakeup_flag());
}

static __always_inline int socket_destroyed(struct sock *sk)
{
	struct socket_state *state = known_socket(sk);
	__u64 address = (__u64)sk;

	if (state)
		end_socket(sk, state);
	if (!use_socket_storage)
		bpf_map_delete_elem(&sockets_by_address, &address);
	return 0;
}

static __always_inline int socket_changed(struct sock *sk, int old, int new)
{
	struct socket_state *state;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (new == TCP_SYN_SENT) {
		connect_begun(sk);
	} else if (new == TCP_ESTABLISHED) {
		socket_established(sk, old);
	} else if (new == TCP_CLOSE) {
		state = known_socket(sk);
		if (!state)
			return 0;
		state->error = sk->sk_err;
		state->reason = close_reason(state->error, old);
		if (!has_unread(sk))
			end_socket(sk, state);
	}
	return 0;
}

static __always_inline struct sock *sock_of(struct file *file)
{
	struct socket *socket = file ? bpf_sock_from_file(file) : NULL;

	return socket ? socket->sk : NULL;
}

/* First pass over the open files: which ports listen. */
static __always_inline int note_listening(struct file *file)
{
	struct sock *sk = sock_of(file);
	struct listening_port key = {};
	__u8 one = 1;

	if (!sk || sk->sk_protocol != IPPROTO_TCP || sk->__sk_common.skc_state != TCP_LISTEN)
		return 0;
	key.netns = sk->__sk_common.skc_net.net->ns.inum;
	key.port = sk->__sk_common.skc_num;
	bpf_map_update_elem(&listening, &key, &one, BPF_ANY);
	return 0;
}

/* Second pass: sockets that are open already. */
static __always_inline int note_socket(struct file *file)
{
	struct sock *sk = sock_of(file);
	struct socket_state *state;
	__u8 tcp_state;

	if (!sk || !family_wanted(sk->__sk_common.skc_family))
		return 0;
	tcp_state = sk->__sk_common.skc_state;
	if (sk->sk_protocol == IPPROTO_TCP && tcp_state != TCP_ESTABLISHED &&
	    tcp_state != TCP_CLOSE_WAIT)
		return 0;
	state = this_socket(sk);
	if (!state || state->flow.cookie)
		return 0;
	open_socket(state, sk, bpf_get_socket_cookie(sk));
	join_midstream(state, sk);
	return 0;
}

#endif
