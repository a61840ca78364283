process.send(String(process.hrtime.bigint()), () => process.disconnect());
