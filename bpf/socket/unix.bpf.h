/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Unix sockets: who is at the other end, which end is the server, and the names. */
#ifndef SPANDREL_UNIX_BPF_H
#define SPANDREL_UNIX_BPF_H

#define SUN_PATH_BYTES 108

static __always_inline __u32 read_unix_name(char *into, struct sock *sk)
{
	struct unix_address *address = BPF_CORE_READ((struct unix_sock *)sk, addr);
	__u32 bytes;

	if (!address)
		return 0;
	bytes = BPF_CORE_READ(address, len) - sizeof(__u16);
	asm volatile("" : "+r"(bytes));
	if (bytes > SUN_PATH_BYTES)
		return 0;
	return bpf_probe_read_kernel(into, bytes, &address->name[0].sun_path) ? 0 : bytes;
}

/* Only an accepted socket shares its listener's name; a client seldom has one. */
static __always_inline __u8 unix_role(__u32 local_bytes, __u32 peer_bytes)
{
	if (!local_bytes == !peer_bytes)
		return ROLE_UNKNOWN;
	return local_bytes ? ROLE_SERVER : ROLE_CLIENT;
}

/* The socket at the other end, and its cookie in the flow. */
static __always_inline struct sock *peer_of(struct socket_state *state, struct sock *sk)
{
	struct sock *peer;

	if (use_socket_storage) {
		struct unix_sock *own = bpf_skc_to_unix_sock(sk);

		peer = own ? own->peer : NULL;
		if (peer)
			state->flow.peer_cookie = bpf_get_socket_cookie(peer);
		return peer;
	}
	peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	if (peer)
		state->flow.peer_cookie =
			own_cookie(peer, BPF_CORE_READ(peer, sk_socket, file, f_inode, i_ino));
	return peer;
}

/* Completes the flow of a unix socket and sends its names ahead of its first data event. */
static __always_inline void name_unix_socket(struct socket_state *state, struct sock *sk,
					     struct task_struct *task)
{
	struct sock *peer = peer_of(state, sk);
	struct unix_event *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count_drop(DROP_RING_FULL);
		return;
	}
	fill_header(&e->header, sizeof(*e), EVENT_UNIX, bpf_ktime_get_boot_ns(), task, 0);
	e->cookie = state->flow.cookie;
	e->peer_cookie = state->flow.peer_cookie;
	e->local_bytes = read_unix_name(e->local, sk);
	e->peer_bytes = peer ? read_unix_name(e->peer, peer) : 0;
	state->flow.role = unix_role(e->local_bytes, e->peer_bytes);
	bpf_ringbuf_submit(e, wakeup_flag());
}

/* What a socket is at its first message, if no state change announced it. */
static __always_inline void begin_socket(struct socket_state *state, struct sock *sk,
					 __u8 direction, struct task_struct *task)
{
	if (state->flow.protocol == IPPROTO_TCP) {
		join_midstream(state, sk);
		return;
	}
	state->flow.conn_start_ns = bpf_ktime_get_boot_ns();
	if (state->flow.family == AF_UNIX)
		name_unix_socket(state, sk, task);
	else
		state->flow.role = direction == DIRECTION_EGRESS ? ROLE_CLIENT : ROLE_SERVER;
}

#endif
