// SPDX-License-Identifier: Apache-2.0
// From a captured packet to the innermost TCP or UDP header in it, through tags and tunnels.

import type { Fragments } from "./fragments.ts";
import { ETHER_TYPE, type Frame, type Layer } from "./frame.ts";
import { readIp } from "./ip.ts";
import { readLinkLayer, readTag } from "./link_layer.ts";
import type { Packet } from "./packet.ts";
import { readTunnel } from "./tunnel.ts";

/** Layers in one packet believed; more are a sign of nonsense. */
const LAYERS_MAX = 24;

/** On "transport" the frame is at a TCP or UDP header, with family, addresses and protocol set. */
export function unwrap(packet: Packet, frame: Frame, fragments: Fragments): Layer {
  frame.bytes = packet.bytes;
  frame.at = 0;
  frame.end = packet.bytes.length;
  frame.wireEnd = packet.wireLength;
  frame.family = 0;
  let layer = readLinkLayer(frame, packet.linkType);
  for (let i = 0; i < LAYERS_MAX; i++) {
    if (layer !== "next") return layer;
    if (frame.etherType === ETHER_TYPE.ipv4 || frame.etherType === ETHER_TYPE.ipv6) {
      layer = readIp(frame, fragments);
      if (layer === "transport") layer = readTunnel(frame);
    } else layer = readTag(frame);
  }
  return "malformed";
}
