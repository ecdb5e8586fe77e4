/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a message stands in its stream: offset in bytes and TCP sequence number.
 *
 * After a call the kernel's counter (write_seq, copied_seq) may already include other tasks' bytes.
 * So a number is exact only if something proves it: it was read under the socket lock, or the
 * counter minus our bytes is just what all earlier messages add up to while none was in doubt.
 * Otherwise it is flagged uncertain until the sums meet again. Reads may be out of sight (splice
 * out of a socket): after 100 ms of quiet they start again from the counter. Writes are all seen,
 * so a difference always means another writer.
 */
#ifndef SPANDREL_SEQUENCE_BPF_H
#define SPANDREL_SEQUENCE_BPF_H

#define QUIET_NS 100000000ULL
#define RCV_SHUTDOWN 1
#define SHUTDOWN_BOTH 3

static __always_inline struct stream *stream_of(struct socket_state *state,
						const struct message *m)
{
	return &state->stream[m->direction & 1];
}

static __always_inline void place_exactly(struct stream *stream, struct message *m, __u32 first)
{
	__s32 step = stream->known ? (__s32)(first - stream->seq_next) : 0;

	m->seq = first;
	m->flags |= DATA_SEQ_VALID;
	m->offset = stream->offset + step;
	if (stream->known && !step) {
		__sync_fetch_and_add(&stream->offset, m->length);
		__sync_fetch_and_add(&stream->seq_next, m->length);
	} else if (step + (__s32)m->length > 0 || !stream->known) {
		/* An overtaken writer reports late, and leaves the end where it is. */
		stream->offset = m->offset + m->length;
		stream->seq_next = first + m->length;
	}
	stream->known = 1;
}

/* The doubt is there before the bytes are: nobody may see these without that. */
static __always_inline void place_by_guess(struct stream *stream, struct message *m, __u32 after)
{
	m->seq = after - m->length;
	m->flags |= DATA_SEQ_UNCERTAIN;
	m->offset = stream->offset;
	stream->dirty = 1;
	__sync_fetch_and_add(&stream->offset, m->length);
	__sync_fetch_and_add(&stream->seq_next, m->length);
	if (*(volatile __u32 *)&stream->seq_next == after)
		stream->dirty = 0;
}

static __always_inline void start_again(struct stream *stream, struct message *m, __u32 first)
{
	m->seq = first;
	m->flags |= DATA_SEQ_UNCERTAIN;
	m->offset = stream->offset + (__s32)(first - stream->seq_next);
	stream->offset = m->offset + m->length;
	stream->seq_next = first + m->length;
	stream->dirty = 0;
}

/* The kernel's counter of a direction, read after the call. */
struct tcp_counter {
	__u32 after; /* write_seq or copied_seq */
	bool fin;    /* ingress: the peer's FIN has come; it has a number of its own */
};

static __always_inline void place_tcp(struct stream *stream, struct message *m,
				      const struct tcp_counter *tcp, __u64 now)
{
	__u32 first = tcp->after - m->length;
	__u32 next = *(volatile __u32 *)&stream->seq_next;
	__u8 dirty = *(volatile __u8 *)&stream->dirty; /* after next: see place_by_guess */

	if (tcp->fin && first == next + 1)
		first--;
	if (!stream->known || stream->jump || (first == next && !dirty)) {
		if (stream->jump)
			stream->dirty = 0;
		stream->jump = 0;
		place_exactly(stream, m, first);
	} else if (m->direction == DIRECTION_INGRESS && now - stream->placed_ns > QUIET_NS) {
		start_again(stream, m, first);
	} else {
		place_by_guess(stream, m, tcp->after);
	}
	stream->placed_ns = now;
}

static __always_inline void place_by_bytes(struct stream *stream, struct message *m)
{
	m->offset = stream->offset;
	__sync_fetch_and_add(&stream->offset, m->length);
}

#endif
