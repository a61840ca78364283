import '../holdfast.mjs';

process.send(String(process.hrtime.bigint()), () => process.disconnect());
