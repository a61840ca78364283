// The built package, as a user gets it. bench/ has a package.json of its own, so the name
// `holdfast` cannot refer back to the tree around it.
export * from '../lib/index.js';
