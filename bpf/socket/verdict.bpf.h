/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How much of a message to copy. User space decides per socket; the kernel only keeps budgets, so
 * that a socket nobody recognises, or one very busy one, cannot fill the ring with payload.
 */
#ifndef SPANDREL_VERDICT_BPF_H
#define SPANDREL_VERDICT_BPF_H

#define SECOND_NS 1000000000ULL
#define BACKOFF_MAX 6 /* 1 << 6 = 64 s */
#define IGNORED_PER_LOOK 63
#define PROBATION_MESSAGES 16

/* Copied of one call at most, and the budget of such sockets, in times of that of others. */
#define CALL_BYTES_MAX 262144
#define WHOLE_TIMES 32

/* What was ignored was not counted: let both directions go on from where they are. */
static __always_inline void allow_jump(struct socket_state *state)
{
	state->stream[DIRECTION_INGRESS].jump = 1;
	state->stream[DIRECTION_EGRESS].jump = 1;
}

/*
 * Asks the map only while pending or after user space said that verdicts changed. On probation
 * the old verdict stays in the map, and holds again if nobody changes it.
 */
static __always_inline void refresh_verdict(struct socket_state *state)
{
	__u32 generation = control.verdict_generation, *verdict;

	if (state->probation && --state->probation)
		return;
	if (state->verdict != VERDICT_PENDING && state->generation == generation)
		return;
	verdict = bpf_map_lookup_elem(&verdicts, &state->flow.cookie);
	if (verdict && *verdict != state->verdict) {
		if (state->verdict == VERDICT_IGNORE)
			allow_jump(state);
		state->verdict = *verdict;
		state->spent = 0;
	}
	if (state->generation != generation)
		state->spent = 0;
	state->generation = generation;
}

static __always_inline bool after_silence(struct socket_state *state, __u8 direction, __u64 now)
{
	return state->last_direction != direction && now - state->last_ns > QUIET_NS &&
	       now >= state->retry_ns;
}

static __always_inline void put_off_retry(struct socket_state *state, __u64 now)
{
	state->retry_ns = now + (SECOND_NS << (state->backoff & 7));
	if (state->backoff < BACKOFF_MAX)
		state->backoff++;
}

/*
 * True while nothing of this socket is recorded. Once its time is over, a few messages pass as
 * pending; the clock is read at one in 64 messages, for this is the path of most traffic.
 */
static __always_inline bool is_ignored(struct socket_state *state)
{
	__u64 now;

	refresh_verdict(state);
	if (state->verdict != VERDICT_IGNORE)
		return false;
	if (++state->ignored & IGNORED_PER_LOOK)
		return true;
	now = bpf_ktime_get_boot_ns();
	if (!state->retry_ns)
		put_off_retry(state, now);
	if (now < state->retry_ns)
		return true;
	put_off_retry(state, now);
	state->verdict = VERDICT_PENDING;
	state->probation = PROBATION_MESSAGES;
	allow_jump(state);
	state->spent = 0;
	return false;
}

/* Payload bytes wanted of this message, before the budget. */
static __always_inline __u32 bytes_wanted(struct socket_state *state, __u8 direction)
{
	if (state->verdict == VERDICT_COUNT)
		return 0;
	if (state->verdict == VERDICT_ALL)
		return PAYLOAD_BYTES_MAX;
	if (state->verdict == VERDICT_WHOLE)
		return state->flow.type == SOCK_STREAM ? CALL_BYTES_MAX : PAYLOAD_BYTES_MAX;
	return state->last_direction == direction ? payload_bytes_later : payload_bytes_first;
}

/* Takes `want` from the budget; 0 when it is spent. */
static __always_inline __u32 spend(struct socket_state *state, struct message *m, __u32 want,
				   __u64 now)
{
	bool pending = state->verdict == VERDICT_PENDING;
	__u32 limit = pending ? pending_bytes_max : second_bytes_max;

	if (state->verdict == VERDICT_WHOLE)
		limit *= WHOLE_TIMES;
	if (pending ? state->spent >= limit && after_silence(state, m->direction, now)
		    : now - state->window_ns > SECOND_NS) {
		state->window_ns = now;
		state->spent = 0;
		if (pending)
			put_off_retry(state, now);
	}
	if (state->spent >= limit) {
		m->flags |= DATA_BUDGET_SPENT;
		count_drop(DROP_BUDGET);
		return 0;
	}
	state->spent += want;
	return want;
}

#endif
