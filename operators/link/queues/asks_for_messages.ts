// SPDX-License-Identifier: Apache-2.0
// That a consumer asks for messages is not done on behalf of one that it has.

import type { Call } from "../program.ts";

export const asksForMessages = ({ exchange: { request } }: Pick<Call, "exchange">): boolean =>
  request?.message.envelope?.role === "receive";
