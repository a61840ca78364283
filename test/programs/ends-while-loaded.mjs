// A module that ends its process.
process.exit(4);

export function never() {}
