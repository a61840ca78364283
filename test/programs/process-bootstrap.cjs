// By --require.
require('./process-bootstrap.mjs');
