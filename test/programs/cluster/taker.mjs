// Takes a job of the queue 'jobs', says so, and never does it.
//   node taker.mjs <url> <namespace> <options as JSON>
import { connect } from 'holdfast';

const [url, namespace, options] = process.argv.slice(2);
const cluster = await connect(url, { namespace, ...JSON.parse(options) });
const task = await cluster.queue('jobs').take();
console.log(`took ${task.value} ${task.deliveries}`);
setInterval(() => {}, 1000);
