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

/* Completes the flow of a unix socket and sends its names ahead of its first data event. */
static __always_inline void name_unix_socket(struct socket_state *state, struct sock *sk,
					     struct task_struct *task)
{
	struct unix_sock *own = bpf_skc_to_unix_sock(sk);
	struct sock *peer = own ? own->peer : NULL;
	struct unix_event *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (peer)
		state->flow.peer_cookie = bpf_get_socket_cookie(peer);
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

#endif
