// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { templatePath } from "./path_template.ts";

Deno.test("ids in paths give way to {id}, words stay", () => {
  const cases: readonly [path: string, template: string][] = [
    ["/", "/"],
    ["/index.html", "/index.html"],
    ["/api/v2/users", "/api/v2/users"],
    ["/users/42", "/users/{id}"],
    ["/users/42/orders/7/", "/users/{id}/orders/{id}/"],
    ["/o/9f86d081-884c-7d65-9a2f-eaa0c55ad015", "/o/{id}"],
    ["/blob/e3b0c44298fc1c149afbf4c8996fb924", "/blob/{id}"],
    ["/t/A1b2C3d4x5y6z7w8Q", "/t/{id}"],
    ["/item-17/page_3", "/item-{id}/page_{id}"],
    ["/facade/deadbeef", "/facade/deadbeef"],
    [`/x/${"word".repeat(20)}/y`, "/x/{id}/y"],
    ["/oauth2/s3cret", "/oauth2/s3cret"],
    ["", ""],
    ["*", "*"],
  ];
  for (const [path, template] of cases) assert.equal(templatePath(path), template, path);
});
