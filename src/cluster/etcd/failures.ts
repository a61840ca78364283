// What etcd refuses, as the errors of this package.
import { engineErrorOf } from '../errors.js';
import { GatewayError, status } from './gateway.js';

const lasting: readonly number[] = [
  status.invalid,
  status.permission,
  // Such as a password for an etcd that asks for none.
  status.precondition,
  status.unauthenticated,
];

/** What gRPC says of a request that is larger than it takes. Its status is that of a quota. */
const tooLarge = /message larger than max/;

/** The error to reject with, for one of a connection or of etcd. */
export function engineError(cause: unknown): Error {
  const isLasting =
    cause instanceof GatewayError &&
    (lasting.includes(cause.status) || tooLarge.test(cause.message));
  return engineErrorOf(cause, 'etcd', isLasting ? '' : undefined);
}
