// SPDX-License-Identifier: Apache-2.0
// Reasons for which something is not in the result. Each is counted and shown.

export const DROP_REASONS = {
  ring_full: "the kernel ring was full when an event came",
  kernel_storage: "no kernel memory for the state of a socket or task",
  recursion_miss: "a kernel program could not run because one was running on that core",
  enter_without_exit: "a system call was entered but its exit was not seen",
  mmsg: "messages of one call beyond those that the portable path can read",
  payload_unreadable: "a record came with less payload: a page of it was not in memory",
  budget_spent: "a record came without payload: its socket's byte budget was spent",
  record_malformed: "a record did not have the form it announces",
  recording_damaged: "a block of a recording was cut or its checksum did not match",
  packet_lost: "a packet had been lost when the capture file was made, as the file says",
  packet_malformed: "a packet of a capture file was damaged, cut in its headers or never completed",
  packet_unsupported: "a packet of a capture file came from a link layer that is not read",
  connections_full: "a connection was forgotten because too many are open",
  reorder_full: "segments were given up because too many waited for an earlier one",
  decode_full: "a message was given up because it was longer than the limit",
  malformed: "bytes were not what their protocol allows",
  incomplete: "a message was cut off by the end of its connection",
  clipped: "bytes were needed that had not been captured",
  order_lost: "messages could not be paired after bytes were lost in a pipeline",
  unpaired_response: "a response came to which no request was known",
  open_full: "requests were given up because too many awaited a response",
  late: "a record came after its window had closed",
  claim_withdrawn: "a connection was given up by the protocol that had claimed it",
  link_full: "context was forgotten because too many exchanges were open",
  span_malformed: "a span of a file lacked an id or its times, or stood on a line that is no JSON",
  span_limit: "a span of a file was left out because there are too many",
  stage_failed: "an operator failed on a record",
  queue_full: "an output did not take lines as fast as they came",
  aborted: "waited for an output when the run was stopped",
  store_queue_full: "the store did not keep up",
  store_failed: "the store could not write",
  retention: "spans older than asked for were removed",
} as const;

export type DropReason = keyof typeof DROP_REASONS;
