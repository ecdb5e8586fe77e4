/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a message stands in its stream: offset in bytes and TCP sequence number.
 *
 * After a call the kernel's counter (write_seq, copied_seq) may already include other tasks' bytes.
 * So a number is exact only if something proves it: it was read under the socket lock, or the
 * counter minus our bytes is just what all earlier messages add up to while none was in doubt.
 * Otherwise it is flagged uncertain until the sums meet again, or until the stream was quiet for
 * 100 ms: then nothing is in flight, and a difference means bytes that passed unseen.
 */
#ifndef SPANDREL_SEQUENCE_BPF_H
#define SPANDREL_SEQUENCE_BPF_H

#define QUIET_NS 100000000ULL
#define RCV_SHUTDOWN 1

static __always_inline void place_exactly(struct socket_state *state, struct message *m,
					  __u32 bit, __u32 first)
{
	__u32 dir = m->direction & 1;
	__s32 step = state->seq_known & bit ? (__s32)(first - state->seq_next[dir]) : 0;
	__u64 offset = state->offset[dir] + step;

	m->seq = first;
	m->flags |= DATA_SEQ_VALID;
	m->offset = offset;
	/* An overtaken writer reports late: the end of the stream stays where it is. */
	if (step + (__s32)m->length > 0 || !(state->seq_known & bit)) {
		state->offset[dir] = offset + m->length;
		state->seq_next[dir] = first + m->length;
	}
	state->seq_known |= bit;
}

static __always_inline void place_by_guess(struct socket_state *state, struct message *m,
					   __u32 bit, __u32 after)
{
	__u32 dir = m->direction & 1;

	m->seq = after - m->length;
	m->flags |= DATA_SEQ_UNCERTAIN;
	m->offset = state->offset[dir];
	state->offset[dir] += m->length;
	state->seq_next[dir] += m->length;
	if (state->seq_next[dir] == after)
		state->seq_dirty &= ~bit;
	else
		state->seq_dirty |= bit;
}

/* The kernel's counter of a direction, read after the call. */
struct tcp_counter {
	__u32 after; /* write_seq or copied_seq */
	bool fin;    /* ingress: the peer's FIN has come; it has a number of its own */
};

static __always_inline void place_tcp(struct socket_state *state, struct message *m,
				      const struct tcp_counter *tcp, __u64 now)
{
	__u32 dir = m->direction & 1, bit = 1 << dir;
	__u32 first = tcp->after - m->length;

	if (tcp->fin && first == state->seq_next[dir] + 1)
		first--;
	if (!(state->seq_known & bit) || now - state->last_ns > QUIET_NS ||
	    (first == state->seq_next[dir] && !(state->seq_dirty & bit))) {
		state->seq_dirty &= ~bit;
		place_exactly(state, m, bit, first);
	} else {
		place_by_guess(state, m, bit, tcp->after);
	}
}

static __always_inline void place_by_bytes(struct socket_state *state, struct message *m)
{
	m->offset = state->offset[m->direction & 1];
	__sync_fetch_and_add(&state->offset[m->direction & 1], m->length);
}

#endif
