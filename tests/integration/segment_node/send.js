// Sends what a shop's server would send, with Segment's own client, and says how it went.
// node send.js HOST WRITE_KEY COUNT
import { Analytics } from "@segment/analytics-node";

const [host, writeKey, count] = process.argv.slice(2);
const failures = [];
const analytics = new Analytics({ host, writeKey, flushAt: 20, flushInterval: 200, maxRetries: 10 });
analytics.on("error", (error) => failures.push(String(error.reason ?? error.code)));

analytics.identify({
  userId: "anna",
  traits: { email: "anna@example.com", plan: "pro" },
  context: { timezone: "Europe/Prague" },
});
for (let number = 0; number < Number(count); number += 1) {
  analytics.track({ userId: "anna", event: "Product Added", properties: { number } });
}
analytics.track({ anonymousId: "cookie", event: "Looked Around" });
analytics.page({ userId: "anna", name: "Pricing", properties: { path: "/pricing" } });
analytics.screen({ userId: "anna", name: "Home" });
analytics.group({ userId: "anna", groupId: "acme", traits: { seats: 5 } });
analytics.alias({ userId: "anna", previousId: "cookie" });

await analytics.closeAndFlush({ timeout: 30_000 });
console.log(JSON.stringify({ failures }));
process.exit(failures.length === 0 ? 0 : 1);
