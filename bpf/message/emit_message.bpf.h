/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a message that passed a socket to its record, or records. */
#ifndef SPANDREL_EMIT_MESSAGE_BPF_H
#define SPANDREL_EMIT_MESSAGE_BPF_H

/* A call that returned 0 tells something only when the peer has ended the stream. */
static __always_inline bool end_of_stream(const struct socket_state *state, __u8 direction,
					  __u8 shutdown)
{
	return direction == DIRECTION_INGRESS && state->flow.type != SOCK_DGRAM &&
	       shutdown & RCV_SHUTDOWN;
}

/* What an end of stream tells: a peer that has shut down its writing may still be answered. */
static __always_inline __u32 end_flags(__u8 shutdown)
{
	return (shutdown & SHUTDOWN_BOTH) == SHUTDOWN_BOTH ? DATA_EOF | DATA_OVER : DATA_EOF;
}

/*
 * Applies the budget, sends the record, and remembers what the next one needs. `peer` may be NULL.
 * Global, so that the verifier walks it only once, and not again for each way that leads here.
 */
__noinline int emit_message(struct socket_state *state, struct message *m,
			    struct thread_state *thread, struct datagram_peer *peer, __u64 now)
{
	__u32 want;

	if (!state || !m || !thread)
		return 0;
	want = bytes_wanted(state, m->direction);
	if (want > m->length)
		want = m->length;
	if (m->discarded)
		want = 0;
	if (want && !m->buffer.base && !m->buffer.vector) {
		m->flags |= DATA_NO_BUFFER;
		want = 0;
	}
	if (want > PAYLOAD_BYTES_MAX)
		want = bytes_for_ring(want);
	if (want)
		want = spend(state, m, want, now);
	if (want)
		unwrap_vector(&m->buffer);
	if (want > PAYLOAD_BYTES_MAX)
		emit_pieces(state, m, thread, want, now);
	else
		emit_data(state, m, want, thread, peer, now);
	thread->wakes_left = WAKES_PER_MESSAGE;
	state->events++;
	state->owner.tgid = thread->header.tgid;
	state->owner.exec_count = thread->header.exec_count;
	state->owner.leader_start_ns = thread->header.leader_start_ns;
	state->last_direction = m->direction;
	state->last_ns = now;
	return 0;
}

#endif
