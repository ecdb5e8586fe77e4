/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes records into the ring. Every step that may fail comes before the slot is reserved. */
#ifndef SPANDREL_EMIT_BPF_H
#define SPANDREL_EMIT_BPF_H

/* User space that sleeps is woken once; while it is awake nobody pays for a wake-up. */
static __always_inline __u64 wakeup_flag(void)
{
	if (!control.sleeping)
		return BPF_RB_NO_WAKEUP;
	control.sleeping = 0;
	return BPF_RB_FORCE_WAKEUP;
}

/* A slot's size must be a constant to the verifier: there are six sizes. */
#define RESERVE_DATA(bytes) bpf_ringbuf_reserve(&ring, sizeof(struct data_event) + (bytes), 0)

static __always_inline void fill_data(struct data_event *e, struct socket_state *state,
				      struct thread_state *thread, const struct message *m,
				      __u64 now)
{
	__builtin_memcpy(&e->header, &thread->header, sizeof(e->header));
	e->header.emit_ns = now;
	e->header.turn = thread->turn;
	__builtin_memcpy(&e->flow, &state->flow, sizeof(e->flow));
	e->call_start_ns = m->start_ns ? m->start_ns : now;
	e->stream_offset = m->offset;
	e->bytes_ingress = state->stream[DIRECTION_INGRESS].offset;
	e->bytes_egress = state->stream[DIRECTION_EGRESS].offset;
	e->length = m->length;
	e->tcp_seq = m->seq;
	e->fd = m->fd;
	e->mmsg_index = m->mmsg_index;
	e->direction = m->direction;
	e->via = m->via;
	e->call = m->call;
	e->verdict = state->verdict;
	e->coroutine_high = m->coroutine >> 32;
	e->coroutine_low = m->coroutine;
}

/* The slot stays unread until it is submitted, and so do all later ones: no detours in between. */
static __always_inline void emit_data(struct socket_state *state, struct message *m, __u32 want,
				      struct thread_state *thread, struct datagram_peer *peer,
				      __u64 now)
{
	bool vectored = m->buffer.vector;
	__u32 cap, captured = 0, zero = 0;
	void *row = NULL;
	struct data_event *e;

	if (want && vectored) {
		want = gather(&m->buffer, want);
		row = bpf_map_lookup_elem(&gathered, &zero);
		if (!row)
			return;
	} else if (want > m->buffer.bytes) {
		want = m->buffer.bytes;
	}
	asm volatile("" : "+r"(want));
	if (want == 0) {
		cap = 0;
		e = RESERVE_DATA(0);
	} else if (want <= 64) {
		cap = 64;
		e = RESERVE_DATA(64);
	} else if (want <= 256) {
		cap = 256;
		e = RESERVE_DATA(256);
	} else if (want <= 1024) {
		cap = 1024;
		e = RESERVE_DATA(1024);
	} else if (want <= 4096) {
		cap = 4096;
		e = RESERVE_DATA(4096);
	} else {
		cap = PAYLOAD_BYTES_MAX;
		e = RESERVE_DATA(PAYLOAD_BYTES_MAX);
	}
	if (!e) {
		count_drop(DROP_RING_FULL);
		return;
	}
	fill_data(e, state, thread, m, now);
	if (peer) {
		m->flags |= DATA_PEER_OF_MESSAGE;
		e->flow.peer_port = peer->port;
		__builtin_memcpy(e->flow.peer_addr, peer->addr, 16);
	}
	if (cap && row)
		captured = copy_row(e + 1, want, cap, row);
	else if (cap)
		captured = copy_chunk(e + 1, want, cap, m->buffer.base);
	if (captured < want || m->buffer.unreadable) {
		m->flags |= DATA_UNREADABLE;
		count_drop(DROP_PAYLOAD_UNREADABLE);
	}
	if (captured < m->length)
		m->flags |= DATA_CLIPPED;
	e->captured = captured;
	e->flags = m->flags;
	e->header.size = sizeof(*e) + captured;
	bpf_ringbuf_submit(e, wakeup_flag());
}

#endif
