// The same for --require.
require('./process-bootstrap.mjs');
