// The assertions that the web-platform-tests of Web Locks call by name. web-worker.mjs has none of
// them; page.mjs makes them globals.
import { AssertionError, strictEqual } from 'node:assert';

const show = (value) => (typeof value === 'string' ? JSON.stringify(value) : String(value));

function check(holds, message, description) {
  if (!holds) throw new AssertionError({ message: `${description ?? 'assertion'}: ${message}` });
}

function assert_equals(actual, expected, description) {
  check(Object.is(actual, expected), `${show(actual)} is not ${show(expected)}`, description);
}

function assert_not_equals(actual, other, description) {
  check(!Object.is(actual, other), `${show(actual)} was not to be`, description);
}

function assert_true(actual, description) {
  assert_equals(actual, true, description);
}

function assert_false(actual, description) {
  assert_equals(actual, false, description);
}

function assert_array_equals(actual, expected, description) {
  check(typeof actual === 'object' && actual !== null, 'no array', description);
  assert_equals(actual.length, expected.length, `${description}: length`);
  for (let i = 0; i < expected.length; i++) {
    assert_equals(Object.hasOwn(actual, i), Object.hasOwn(expected, i), `${description}: ${i}`);
    assert_equals(actual[i], expected[i], `${description}: ${i}`);
  }
}

function assert_own_property(object, name, description) {
  check(Object.hasOwn(object, name), `has no property ${name} of its own`, description);
}

/** An attribute of an interface is a property of the interface's prototype. */
function assert_idl_attribute(object, name, description) {
  check(!Object.hasOwn(object, name), `${name} is the object's own property`, description);
  check(name in object, `${name} is in no prototype`, description);
}

function assert_unreached(description) {
  check(false, 'this was not to be reached', description);
}

/**
 * Resolves when the promise has rejected and `look` accepts the reason. The reason may be a
 * thenable, so no promise is resolved with it.
 */
function rejects(promise, description, look) {
  return promise.then(
    (value) => check(false, `resolved, to ${show(value)}`, description),
    (reason) => {
      look(reason);
    },
  );
}

function promise_rejects_exactly(_test, expected, promise, description) {
  return rejects(promise, description, (reason) => assert_equals(reason, expected, description));
}

/** An error of that very class. One of a subclass will not do. */
function promise_rejects_js(_test, constructor, promise, description) {
  return rejects(promise, description, (reason) => {
    strictEqual(reason?.constructor, constructor, `${description}: ${show(reason)}`);
    assert_equals(reason.name, constructor.name, description);
  });
}

const codeOf = Object.getOwnPropertyDescriptor(DOMException.prototype, 'code').get;

/**
 * A DOMException of that name. Its number is asked of DOMException itself, because the error of a
 * stolen lock has a `code` of its own (see docs/api/lock-manager.md).
 */
function promise_rejects_dom(_test, name, promise, description) {
  return rejects(promise, description, (reason) => {
    strictEqual(reason?.constructor, DOMException, `${description}: ${show(reason)}`);
    assert_equals(reason.name, name, description);
    assert_equals(codeOf.call(reason), new DOMException('', name).code, description);
  });
}

export const asserts = {
  assert_array_equals,
  assert_equals,
  assert_false,
  assert_idl_attribute,
  assert_not_equals,
  assert_own_property,
  assert_true,
  assert_unreached,
  promise_rejects_dom,
  promise_rejects_exactly,
  promise_rejects_js,
};
