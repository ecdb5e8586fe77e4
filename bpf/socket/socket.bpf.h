/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* State of a socket: who it is, created at its birth, at seeding, or at its first message. */
#ifndef SPANDREL_SOCKET_BPF_H
#define SPANDREL_SOCKET_BPF_H

#define NO_DIRECTION 2

static const struct socket_state new_state;

static __always_inline struct socket_state *known_socket(struct sock *sk)
{
	__u64 address = (__u64)sk;

	if (use_socket_storage)
		return bpf_sk_storage_get(&sockets, sk, 0, 0);
	return bpf_map_lookup_elem(&sockets_by_address, &address);
}

/* Known, or new and still without a cookie. */
static __always_inline struct socket_state *this_socket(struct sock *sk)
{
	struct socket_state *state;
	__u64 address = (__u64)sk;

	if (use_socket_storage) {
		state = bpf_sk_storage_get(&sockets, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	} else {
		state = bpf_map_lookup_elem(&sockets_by_address, &address);
		if (!state) {
			bpf_map_update_elem(&sockets_by_address, &address, &new_state, BPF_ANY);
			state = bpf_map_lookup_elem(&sockets_by_address, &address);
		}
	}
	if (!state)
		count_drop(DROP_SOCKET_STORAGE);
	return state;
}

/* Marks cookies made here, from the inode number, where the kernel has not given one. */
#define OWN_COOKIE (1ULL << 63)

/* The portable path cannot ask for a cookie: it takes what is there. */
static __always_inline __u64 own_cookie(struct sock *sk, __u64 inode)
{
	__u64 cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);

	return cookie ? cookie : OWN_COOKIE | inode;
}

static __always_inline bool family_wanted(__u16 family)
{
	return family == AF_INET || family == AF_INET6 || family == AF_UNIX;
}

static __always_inline bool port_listed(__u16 port)
{
	return bpf_map_lookup_elem(&ports, &port);
}

/* Whether a socket is recorded at all; datagrams are asked one by one: see datagram_wanted. */
static __always_inline bool socket_wanted(const struct socket_flow *flow)
{
	if (!filter_ports || flow->family == AF_UNIX || flow->type == SOCK_DGRAM)
		return true;
	return port_listed(flow->local_port) || port_listed(flow->peer_port);
}

static __always_inline bool was_listening(const struct socket_flow *flow)
{
	struct listening_port key = { .netns = flow->netns, .port = flow->local_port };

	return bpf_map_lookup_elem(&listening, &key);
}

/* Ports and addresses as they are now: a datagram socket may gain or change them. */
static __always_inline void read_ends(struct socket_flow *flow, struct sock *sk)
{
	flow->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	flow->peer_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (flow->family == AF_INET6) {
		BPF_CORE_READ_INTO(&flow->local_addr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&flow->peer_addr, sk, __sk_common.skc_v6_daddr);
	} else if (flow->family == AF_INET) {
		*(__be32 *)flow->local_addr = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		*(__be32 *)flow->peer_addr = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	}
}

static __always_inline void read_flow(struct socket_flow *flow, struct sock *sk, __u64 cookie)
{
	__u16 protocol;

	flow->cookie = cookie;
	flow->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	flow->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	flow->type = BPF_CORE_READ(sk, sk_type);
	if (flow->family == AF_UNIX)
		return;
	protocol = BPF_CORE_READ(sk, sk_protocol);
	flow->protocol = protocol > 255 ? IPPROTO_LARGE : protocol;
	read_ends(flow, sk);
}

/* TCP numbers at a moment when nothing is on its way: both offsets count from here. */
static __always_inline void start_sequences(struct socket_state *state, struct sock *sk)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	state->stream[DIRECTION_EGRESS].seq_next = BPF_CORE_READ(tcp, write_seq);
	state->stream[DIRECTION_EGRESS].known = 1;
	state->stream[DIRECTION_INGRESS].seq_next = BPF_CORE_READ(tcp, copied_seq);
	state->stream[DIRECTION_INGRESS].known = 1;
}

static __always_inline void open_socket(struct socket_state *state, struct sock *sk, __u64 cookie)
{
	read_flow(&state->flow, sk, cookie);
	state->last_direction = NO_DIRECTION;
	state->outside = !socket_wanted(&state->flow);
}

/* The socket is older than the tracer, or its birth was missed. */
static __always_inline void join_midstream(struct socket_state *state, struct sock *sk)
{
	state->flow.joined_midstream = 1;
	state->flow.conn_start_ns = 0;
	if (state->flow.protocol == IPPROTO_TCP)
		state->flow.role = was_listening(&state->flow) ? ROLE_SERVER : ROLE_CLIENT;
}

#endif
