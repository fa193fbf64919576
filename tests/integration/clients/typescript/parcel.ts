// One customer's parcel, from order to door: drives a run with the plain Temporal SDK.
//   node build/parcel.js <temporal-address> <journey> <customer> <key>
import { Client, Connection } from '@temporalio/client';

const [address, journey, customer, key] = process.argv.slice(2);
if (!key) {
  console.error('usage: parcel <temporal-address> <journey> <customer> <key>');
  process.exit(2);
}

// Everything but RFC 3986's unreserved characters is escaped, so that a "/" in a part cannot split it.
const escaped = (part: string) =>
  encodeURIComponent(part).replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
const workflowId = ['journey', ...[journey, customer, key].map(escaped)].join('/');

const touchpoint = (messageId: string, event: string) => ({
  message_id: messageId,
  event,
  timestamp: new Date().toISOString(),
  properties: { parcel: key },
  context: {},
});

const connection = await Connection.connect({ address });
const client = new Client({ connection });

// Enters the journey and tells the run what happened, in one call; no worker need be up for it.
await client.workflow.signalWithStart('customer_journey', {
  workflowId,
  taskQueue: 'journeys',
  args: [{ journey, customer, key }],
  signal: 'touchpoint',
  signalArgs: [touchpoint('typescript-1', 'Parcel Ordered')],
});
const run = client.workflow.getHandle(workflowId);

// Sent twice, as after a lost answer: the message id makes it count once.
const packed = touchpoint('typescript-2', 'Parcel Packed');
await run.signal('touchpoint', packed);
await run.signal('touchpoint', packed);

// Several at once.
await run.signal('touchpoints', [
  touchpoint('typescript-3', 'Parcel Seen'),
  touchpoint('typescript-4', 'Parcel Seen'),
]);

const status = await run.query('status');

// An update waits until the run has acted, and answers what it did.
const update = await run.executeUpdate('touchpoint_now', {
  args: [touchpoint('typescript-5', 'Parcel Delivered')],
});

const result = await run.result();

console.log(JSON.stringify({ status, update, result }));
await connection.close();
