// SPDX-License-Identifier: Apache-2.0
// Quantities as people read them: three digits and a unit.

/** "850µs", "12.3ms", "1.50s", "2m05s"; "–" for none. */
export function durationText(ns: number | bigint | null): string {
  if (ns === null) return "–";
  const us = Number(ns) / 1_000;
  if (us < 0) return `-${durationText(-Number(ns))}`;
  if (us < 999.5) return `${us < 9.95 ? us.toFixed(1) : us.toFixed(0)}µs`;
  if (us < 999_500) return `${threeDigits(us / 1_000)}ms`;
  const s = us / 1e6;
  if (s < 59.95) return `${threeDigits(s)}s`;
  const whole = Math.round(s);
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours}h${String(minutes).padStart(2, "0")}m`;
  return `${minutes}m${String(whole % 60).padStart(2, "0")}s`;
}

/** "0", "0.4", "41.2", "1,234". */
export function rateText(perSecond: number): string {
  if (perSecond === 0) return "0";
  return perSecond < 99.95 ? perSecond.toFixed(1) : countText(Math.round(perSecond));
}

/** "0%", "0.02%", "12.5%". */
export function shareText(share: number): string {
  const percent = share * 100;
  if (percent === 0) return "0%";
  return `${percent < 0.95 ? percent.toFixed(2) : percent < 99.5 ? percent.toFixed(1) : "100"}%`;
}

/** "12,345". */
export function countText(count: number | bigint): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "812 B", "1.21 MB". */
export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  for (const [scale, unit] of [[1e3, "kB"], [1e6, "MB"], [1e9, "GB"]] as const) {
    if (bytes < scale * 999.5) return `${threeDigits(bytes / scale)} ${unit}`;
  }
  return `${threeDigits(bytes / 1e12)} TB`;
}

/** Local time of day with milliseconds: "21:35:02.123". */
export function clockText(unixNs: bigint): string {
  const date = new Date(Number(unixNs / 1_000_000n));
  const two = (value: number) => String(value).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

function threeDigits(value: number): string {
  if (value < 9.995) return value.toFixed(2);
  return value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}
