// SPDX-License-Identifier: Apache-2.0
// NTP: modes, versions and clocks.

import { number } from "../pdml.ts";
import type { SharkReader } from "../shark_message.ts";

const MODES = ["", "ACTIVE", "PASSIVE", "CLIENT", "SERVER", "BROADCAST", "CONTROL", "PRIVATE"];
const KINDS = ["", "request", "response", "request", "response", "oneway"];

export const ntp: SharkReader = {
  protocol: "ntp",
  decodeAs: ["ntp"],
  parts: ["ntp"],
  open: () => ({
    take(part, _way, emit) {
      const mode = number(part, "ntp.flags.mode") ?? 0;
      const answers = number(part, "ntp.flags.r") ?? number(part, "ntp.ctrl.flags2.r") ?? 0;
      const type = MODES[mode] ?? "";
      emit({
        facts: { kind: KINDS[mode] ?? (answers === 1 ? "response" : "request"), type },
        fields: {
          mode: type,
          version: number(part, "ntp.flags.vn"),
          stratum: number(part, "ntp.stratum"),
          leap: mode < 6 ? number(part, "ntp.flags.li") : undefined,
        },
      });
    },
  }),
};
