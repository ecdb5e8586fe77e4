/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Both ends of a datagram on a socket that is not connected. */
#ifndef SPANDREL_DATAGRAM_BPF_H
#define SPANDREL_DATAGRAM_BPF_H

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd

struct user_sockaddr_in6 {
	__u16 family;
	__be16 port;
	__u32 flow_or_ipv4;
	__u8 addr6[16];
};

/* What the caller gave to sendto or sendmsg. */
static __always_inline int read_sockaddr(struct datagram_ends *ends, __u64 from, __u16 family)
{
	struct user_sockaddr_in6 name = {};
	__u32 bytes = family == AF_INET6 ? 24 : 8;

	__builtin_memset(ends, 0, sizeof(*ends));
	if (bpf_probe_read_user(&name, bytes, (void *)from))
		return -1;
	ends->family = name.family;
	ends->peer_port = bpf_ntohs(name.port);
	if (name.family == AF_INET6)
		__builtin_memcpy(ends->peer_addr, name.addr6, 16);
	else
		*(__u32 *)ends->peer_addr = name.flow_or_ipv4;
	return 0;
}

struct ip_ends {
	__u8 protocol;
	__u8 source[16];
	__u8 target[16];
};

static __always_inline int read_ipv4(struct ip_ends *ip, const unsigned char *header, bool mapped)
{
	/* An AF_INET6 socket sees IPv4 peers as ::ffff:a.b.c.d. */
	__u32 at = mapped ? 12 : 0;

	if (mapped)
		ip->source[10] = ip->source[11] = ip->target[10] = ip->target[11] = 0xff;
	return bpf_probe_read_kernel(&ip->protocol, 1, header + 9) ||
	       bpf_probe_read_kernel(ip->source + at, 4, header + 12) ||
	       bpf_probe_read_kernel(ip->target + at, 4, header + 16);
}

static __always_inline int read_ipv6(struct ip_ends *ip, const unsigned char *header)
{
	return bpf_probe_read_kernel(&ip->protocol, 1, header + 6) ||
	       bpf_probe_read_kernel(ip->source, 16, header + 8) ||
	       bpf_probe_read_kernel(ip->target, 16, header + 24);
}

/*
 * A reader copies a datagram just before its call ends; TCP copies by the same way, but its
 * buffers belong to a socket, so one load sorts them out.
 */
static __always_inline int datagram_copied(struct sk_buff *skb)
{
	struct thread_state *thread;
	struct ip_ends ip = {};
	unsigned char *head;
	__be16 port;

	if (skb->sk)
		return 0;
	head = skb->head;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (read_ipv4(&ip, head + skb->network_header, false))
			return 0;
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if (read_ipv6(&ip, head + skb->network_header))
			return 0;
	}
	if (ip.protocol != IPPROTO_UDP)
		return 0;
	if (bpf_probe_read_kernel(&port, sizeof(port), head + skb->transport_header))
		return 0;
	thread = this_thread();
	if (!thread)
		return 0;
	thread->datagram.sock_found = 1;
	thread->datagram.peer_port = bpf_ntohs(port);
	thread->datagram.family = skb->protocol == bpf_htons(ETH_P_IP) ? AF_INET : AF_INET6;
	__builtin_memcpy(thread->datagram.peer_addr, ip.source, 16);
	__builtin_memcpy(thread->datagram.local_addr, ip.target, 16);
	return 0;
}

#endif
