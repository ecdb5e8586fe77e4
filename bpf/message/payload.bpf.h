/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Copies the first bytes of a message from user memory.
 *
 * One buffer is copied straight into the ring. Several segments are first put in a row in
 * `gathered`, which belongs to the CPU: the programs that use it run with preemption off.
 */
#ifndef SPANDREL_PAYLOAD_BPF_H
#define SPANDREL_PAYLOAD_BPF_H

#define SEGMENTS_MAX 64 /* put in a row at once */
#define PAGE_BYTES 4096

/* Twice the most: the verifier bounds position and chunk each, not their sum. */
struct gathered_bytes {
	__u8 bytes[2 * PAYLOAD_BYTES_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gathered_bytes);
} gathered SEC(".maps");

/* A segment read from an array of iovec, of the caller's word size. */
struct segment {
	__u64 base;
	__u64 bytes;
};

static __always_inline int read_segment(struct segment *s, const struct user_buffer *b, __u32 i)
{
	if (b->compat) {
		__u32 pair[2];

		if (bpf_probe_read_user(pair, sizeof(pair), (void *)(b->vector + i * sizeof(pair))))
			return -1;
		s->base = pair[0];
		s->bytes = pair[1];
		return 0;
	}
	return bpf_probe_read_user(s, sizeof(*s), (void *)(b->vector + i * sizeof(*s)));
}

/* Reads `bytes`, or what the first page holds of them: the next one may be swapped out. */
static __always_inline __u32 copy_chunk(void *to, __u32 bytes, __u32 cap, __u64 from)
{
	__u32 in_page = PAGE_BYTES - (from & (PAGE_BYTES - 1));

	asm volatile("" : "+r"(bytes));
	if (bytes > cap)
		bytes = cap;
	if (!bpf_probe_read_user(to, bytes, (void *)from))
		return bytes;
	if (in_page >= bytes)
		return 0;
	asm volatile("" : "+r"(in_page));
	if (in_page > cap)
		return 0;
	return bpf_probe_read_user(to, in_page, (void *)from) ? 0 : in_page;
}

/*
 * Puts up to `want` bytes of a vector in a row in `gathered`, from where it stopped the last time;
 * returns how many, and sets b->unreadable when a page was missing. Global, so that the verifier
 * walks it only once.
 */
__noinline int gather(struct user_buffer *b, __u32 want)
{
	__u32 zero = 0, done = 0;
	struct gathered_bytes *to = bpf_map_lookup_elem(&gathered, &zero);

	if (!b || !to)
		return 0;
	for (__u32 i = 0; i < SEGMENTS_MAX; i++) {
		struct segment s;
		__u32 chunk;

		if (b->segment >= b->segments || done >= want || done >= PAYLOAD_BYTES_MAX)
			break;
		if (read_segment(&s, b, b->segment)) {
			b->unreadable = 1;
			break;
		}
		if (s.bytes <= b->within) {
			b->segment++;
			b->within = 0;
			continue;
		}
		chunk = want - done;
		if (s.bytes - b->within < chunk)
			chunk = s.bytes - b->within;
		asm volatile("" : "+r"(chunk));
		if (chunk > PAYLOAD_BYTES_MAX)
			break;
		if (bpf_probe_read_user(to->bytes + (done & (PAYLOAD_BYTES_MAX - 1)), chunk,
					(void *)(s.base + b->within))) {
			b->unreadable = 1;
			break;
		}
		done += chunk;
		b->within += chunk;
	}
	return done > PAYLOAD_BYTES_MAX ? PAYLOAD_BYTES_MAX : done;
}

static __always_inline __u32 copy_row(void *to, __u32 bytes, __u32 cap, const void *row)
{
	asm volatile("" : "+r"(bytes));
	if (bytes > cap)
		bytes = cap;
	return bpf_probe_read_kernel(to, bytes, row) ? 0 : bytes;
}

/* One segment is the usual case of a vector: treat it as a plain buffer. */
static __always_inline void unwrap_vector(struct user_buffer *b)
{
	struct segment s;

	if (!b->vector || b->segments != 1 || read_segment(&s, b, 0))
		return;
	b->base = s.base;
	b->bytes = s.bytes;
	b->vector = 0;
}

#endif
