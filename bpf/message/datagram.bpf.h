/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The other end of a datagram on a socket that is not connected. */
#ifndef SPANDREL_DATAGRAM_BPF_H
#define SPANDREL_DATAGRAM_BPF_H

/* struct sockaddr_in and sockaddr_in6 of user space. */
struct user_sockaddr {
	__u16 family;
	__be16 port;
	__u32 ipv4_or_flow;
	__u8 ipv6[16];
};

/* What the caller gave to sendto or sendmsg, or got from recvfrom or recvmsg. */
static __always_inline bool read_name(struct datagram_peer *peer, __u64 name)
{
	struct user_sockaddr a = {};
	/* The longer form may end at the end of a page that the shorter one does not need. */
	if (bpf_probe_read_user(&a, sizeof(a), (void *)name) &&
	    bpf_probe_read_user(&a, 8, (void *)name))
		return false;
	__builtin_memset(peer, 0, sizeof(*peer));
	peer->port = bpf_ntohs(a.port);
	if (a.family == AF_INET6)
		__builtin_memcpy(peer->addr, a.ipv6, 16);
	else
		*(__u32 *)peer->addr = a.ipv4_or_flow;
	return true;
}

/*
 * On the fast path the name of a read is copied to the reader only after our hook; the cgroup's
 * recvmsg hook sees it before. It keeps it for the reading thread, and changes nothing.
 */
static __always_inline void keep_sender(struct bpf_sock_addr *ctx, bool ipv6)
{
	/* The first datagram finds no state yet; without a cookie it is still to be opened. */
	struct socket_state *state = bpf_sk_storage_get(&sockets, ctx->sk, 0,
							BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!state)
		return;
	__builtin_memset(&state->sender, 0, sizeof(state->sender));
	state->sender.tid = bpf_get_current_pid_tgid();
	state->sender.port = bpf_ntohs((__u16)ctx->user_port);
	if (ipv6) {
		*(__u32 *)(state->sender.addr + 0) = ctx->user_ip6[0];
		*(__u32 *)(state->sender.addr + 4) = ctx->user_ip6[1];
		*(__u32 *)(state->sender.addr + 8) = ctx->user_ip6[2];
		*(__u32 *)(state->sender.addr + 12) = ctx->user_ip6[3];
	} else {
		*(__u32 *)state->sender.addr = ctx->user_ip4;
	}
}

static __always_inline bool take_sender(struct datagram_peer *peer, struct socket_state *state)
{
	if (state->sender.tid != (__u32)bpf_get_current_pid_tgid())
		return false;
	*peer = state->sender;
	state->sender.tid = 0;
	return true;
}

/* True when the message has a peer of its own, now in *peer. */
static __always_inline bool own_peer(struct datagram_peer *peer, struct message *m,
				     struct socket_state *state)
{
	if (state->flow.type != SOCK_DGRAM || state->flow.family == AF_UNIX ||
	    state->flow.peer_port)
		return false;
	if (use_socket_storage && m->direction == DIRECTION_INGRESS)
		return take_sender(peer, state);
	return m->name && read_name(peer, m->name);
}

/* A datagram socket may get its ports late, and talk to many peers. `peer` may be NULL. */
static __always_inline bool datagram_wanted(const struct socket_flow *flow,
					    const struct datagram_peer *peer)
{
	if (!filter_ports || flow->type != SOCK_DGRAM || flow->family == AF_UNIX)
		return true;
	return port_listed(flow->local_port) || port_listed(flow->peer_port) ||
	       (peer && port_listed(peer->port));
}

#endif
