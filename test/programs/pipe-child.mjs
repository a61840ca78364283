// The target of a Process: sends back what it receives, until the end.
export async function echo({ connection }) {
  for await (const item of connection) await connection.send(item);
  connection.close();
}
