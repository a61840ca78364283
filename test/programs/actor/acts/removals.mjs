/** Is somebody else perhaps inside as well? */
export const compromised = ({ guard }) => guard.compromised;

const warnings = [];

export function collectWarnings() {
  process.on('warning', (warning) => warnings.push(warning.code ?? warning.name));
}

export const warned = () => warnings;

/** Acquires and releases, and never waits: the event loop stands still until that is refused. */
export function acquireUntilRefused({ object }) {
  for (;;) {
    try {
      object.tryAcquire()?.release();
    } catch (error) {
      return error.name;
    }
  }
}
