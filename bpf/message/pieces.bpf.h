/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Large calls in several records. To those who read them they look like several calls, one right
 * behind the other, so nobody has to put them together.
 */
#ifndef SPANDREL_PIECES_BPF_H
#define SPANDREL_PIECES_BPF_H

#define PIECES_MAX (CALL_BYTES_MAX / PAYLOAD_BYTES_MAX)

/* Large calls come second: the last quarter of the ring is for the heads of all messages. */
static __always_inline __u32 bytes_for_ring(__u32 want)
{
	__u64 waiting = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);

	if (waiting * 4 < bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE) * 3)
		return want;
	count_drop(DROP_RING_PRESSURE);
	return payload_bytes_first;
}

static __always_inline __u32 copy_piece(void *to, struct user_buffer *b, __u32 want)
{
	__u32 captured = copy_chunk(to, want, PAYLOAD_BYTES_MAX, b->base);

	b->base += captured;
	return captured;
}

/*
 * Copies `want` of the message's bytes, piece by piece; the last piece stands for all bytes that
 * are left. Global, so that the verifier walks it only once.
 */
__noinline int emit_pieces(struct socket_state *state, struct message *m,
			   struct thread_state *thread, __u32 want, __u64 now)
{
	__u32 zero = 0, left, piece, captured, length;
	void *row = bpf_map_lookup_elem(&gathered, &zero);
	struct data_event *e;

	if (!state || !m || !thread || !row)
		return 0;
	left = m->length;
	for (__u32 i = 0; i < PIECES_MAX && left; i++) {
		piece = want < PAYLOAD_BYTES_MAX ? want : PAYLOAD_BYTES_MAX;
		if (m->buffer.vector)
			piece = gather(&m->buffer, piece);
		e = RESERVE_DATA(PAYLOAD_BYTES_MAX);
		if (!e) {
			count_drop(DROP_RING_FULL);
			return 0;
		}
		fill_data(e, state, thread, m, now);
		captured = m->buffer.vector ? copy_row(e + 1, piece, PAYLOAD_BYTES_MAX, row)
					    : copy_piece(e + 1, &m->buffer, piece);
		if (captured < piece || m->buffer.unreadable) {
			m->flags |= DATA_UNREADABLE;
			count_drop(DROP_PAYLOAD_UNREADABLE);
		}
		want -= captured;
		length = captured;
		if (!want || i == PIECES_MAX - 1 || !captured || m->flags & DATA_UNREADABLE)
			length = left;
		if (captured < length)
			m->flags |= DATA_CLIPPED;
		e->length = length;
		e->captured = captured;
		e->flags = m->flags;
		e->header.size = sizeof(*e) + captured;
		left -= length;
		m->offset += length;
		m->seq += length;
		bpf_ringbuf_submit(e, wakeup_flag());
	}
	return 0;
}

#endif
