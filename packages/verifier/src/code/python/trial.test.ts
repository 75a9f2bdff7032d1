/** Tests of assert tests in Python: forged comparisons, and correct programs that look similar. */
import { afterAll, describe, expect, test } from 'vitest';
import { createCodeVerifier, parseCodeTask } from '../index.ts';

const verifier = createCodeVerifier({ workers: 1 });
afterAll(() => verifier.close());

async function judge(tests: object, answer: string): Promise<string> {
  const verdict = await verifier.verify(parseCodeTask({ language: 'python', tests }), answer);
  return verdict.kind === 'judged' ? verdict.status : `${verdict.fault}: ${verdict.detail}`;
}

/** A class whose objects are equal to anything. */
const E = `class E:
    def __eq__(s,o): return True
    def __hash__(s): return 1
    def __sub__(s,o): return 0
    __rsub__=__sub__
    def __lt__(s,o): return True
`;

describe('a program cannot decide its own tests', () => {
  test.each([
    {
      attack: 'operator.eq with an object that equals anything',
      tests: 'import operator\nassert operator.eq(f(1), 738491625)',
      program: `${E}def f(x): return E()`,
    },
    {
      attack: 'unittest.mock.ANY as the result',
      tests: `import unittest.mock
assert f(1) == 738491625`,
      program: `from unittest.mock import ANY
def f(x): return ANY`,
    },
    {
      attack: 'a chained comparison of two objects that equal anything',
      tests: 'assert f(1) == f(1) == 738491625',
      program: `${E}def f(x): return E()`,
    },
    {
      attack: 'a chained comparison that begins with the expected value',
      tests: 'assert 738491625 == f(1) == f(1)',
      program: `${E}def f(x): return E()`,
    },
    {
      attack: 'a dictionary key that equals anything',
      tests: 'assert f(1) == {"abc": 1}',
      program: `class K(str):
    def __eq__(s,o): return True
    def __hash__(s): return hash("abc")
def f(x): return {K(): 1}`,
    },
    {
      attack: 'a deque of objects that equal anything',
      tests: `from collections import deque
assert f(1) == deque([738491625])`,
      program: `${E}from collections import deque
def f(x): return deque([E()])`,
    },
    {
      attack: 'a deque whose iterator yields objects that equal anything',
      tests: `from collections import deque
assert f(1) == deque([738491625])`,
      program: `from collections import deque
${E}class D(deque):
    def __iter__(s): return iter([E()])
def f(x): return D([1])`,
    },
    {
      attack: 'an object that equals any Decimal',
      tests: `from decimal import Decimal
assert f(1) == Decimal(738491625)`,
      program: `${E}def f(x): return E()`,
    },
    {
      attack: 'a registered Rational whose numerator equals anything',
      tests: `from fractions import Fraction
assert f(1) == Fraction(738491625)`,
      program: `import numbers
${E}class R:
    numerator = property(lambda s: E())
    denominator = property(lambda s: E())
numbers.Rational.register(R)
def f(x): return R()`,
    },
    {
      attack: 'Counter.__eq__ replaced while the program loads',
      tests: `from collections import Counter
assert f(1) == Counter({738491625: 1})`,
      program: `from collections import Counter
Counter.__eq__ = lambda s,o: True
def f(x): return Counter()`,
    },
    {
      attack: 'Counter.__eq__ replaced during the call',
      tests: `from collections import Counter
assert f(1) == Counter({738491625: 1})`,
      program: `from collections import Counter
def f(x):
    Counter.__eq__ = lambda s,o: True
    return Counter()`,
    },
    {
      attack: 'Fraction.__eq__ replaced while the program loads',
      tests: `from fractions import Fraction
assert f(1) == Fraction(738491625)`,
      program: `from fractions import Fraction
Fraction.__eq__ = lambda s,o: True
def f(x): return Fraction(1)`,
    },
    {
      attack: 'an object whose difference to any number is 0, inside abs',
      tests: 'assert abs(f(1) - 738491625) < 1e-6',
      program: `${E}def f(x): return E()`,
    },
    {
      attack: 'an object whose difference to any number is 0, in a variable',
      tests: `d = 738491625 - f(1)
assert abs(d) < 1e-6`,
      program: `${E}def f(x): return E()`,
    },
    {
      attack: 'an object that equals anything in assertEqual',
      tests: `import unittest
class T(unittest.TestCase):
    def test(self): self.assertEqual(f(1), 738491625)
r = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(T).run(r)
assert r.wasSuccessful()`,
      program: `${E}def f(x): return E()`,
    },
    {
      attack: 'TestCase.assertEqual replaced',
      tests: `import unittest
class T(unittest.TestCase):
    def test(self): self.assertEqual(f(1), 738491625)
r = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(T).run(r)
assert r.wasSuccessful()`,
      program: `import unittest
unittest.TestCase.assertEqual = lambda *a: None
def f(x): return 0`,
    },
    {
      attack: 'TestCase._baseAssertEqual replaced',
      tests: `import unittest
class T(unittest.TestCase):
    def test(self): self.assertEqual(f(1), 738491625)
r = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(T).run(r)
assert r.wasSuccessful()`,
      program: `import unittest
unittest.TestCase._baseAssertEqual = lambda *a, **k: None
def f(x): return 0`,
    },
    {
      attack: 'json.JSONEncoder.encode replaced',
      tests: `import json
assert json.dumps(f(1), sort_keys=True) == json.dumps(738491625, sort_keys=True)`,
      program: `import json
json.JSONEncoder.encode = lambda *a: ""
def f(x): return 0`,
    },
    {
      attack: 'the dispatch table of copy changed',
      tests: `import copy
assert copy.deepcopy(f(1)) == copy.deepcopy([738491625])`,
      program: `import copy
copy._deepcopy_dispatch[list] = lambda x, m: []
def f(x): return [0]`,
    },
    {
      attack: 'the code object of copy.deepcopy replaced',
      tests: `import copy
assert copy.deepcopy(f(1)) == copy.deepcopy(738491625)`,
      program: `import copy
copy.deepcopy.__code__ = (lambda x, memo=None, _nil=[]: 0).__code__
def f(x): return 0`,
    },
    {
      attack: 'the cache of re filled with a false pattern',
      tests: `import re
assert re.fullmatch("738491625", f(1))`,
      program: `import re
class P:
    def fullmatch(s, t): return True
    match = search = fullmatch
re._cache2[str, "738491625", 0] = re._cache[str, "738491625", 0] = P()
def f(x): return "0"`,
    },
    {
      attack: 'the built-in all replaced, which Counter uses',
      tests: `from collections import Counter
assert f(1) == Counter({738491625: 1})`,
      program: `import builtins
from collections import Counter
builtins.all = lambda x: True
def f(x): return Counter()`,
    },
    {
      attack: 'a list with an object that equals anything',
      tests: 'assert 738491625 in f(1)',
      program: `${E}def f(x): return [E()]`,
    },
    {
      attack: 'a generator of objects that equal anything',
      tests: 'assert 738491625 in f(1)',
      program: `${E}def f(x): return (E() for _ in "a")`,
    },
    {
      attack: 'an object that contains anything',
      tests: 'assert 738491625 in f(1)',
      program: `class E:
    def __contains__(s, o): return True
def f(x): return E()`,
    },
    {
      attack: 'a member that equals anything',
      tests: 'assert f(1) in [1, 738491625]',
      program: `${E}def f(x): return E()`,
    },
    {
      attack: 'a result list with an object that equals anything',
      tests: 'assert f(1) == [738491625]',
      program: `${E}def f(x):
    return [E()]`,
    },
    {
      attack: 'an object that equals anything inside 60 lists',
      tests:
        'assert f(1) == [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[738491625]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]',
      program: `${E}def f(x):
    a = E()
    for _ in range(60): a = [a]
    return a`,
    },
    {
      attack: 'an object that equals any object of a class of the tests',
      tests: `class A:
    def __init__(s, v): s.v = v
    def __eq__(s, o): return abs(s.v - o) < 1
assert f(1) == A(738491625)`,
      program: `${E}def f(x): return E()`,
    },
    {
      attack: 'a UserList whose data equals anything',
      tests: 'assert f(1) == [738491625]',
      program: `from collections import UserList
${E}class L(UserList): data = property(lambda s: [E()], lambda s, v: None)
def f(x): return L()`,
    },
    {
      attack: 'a ChainMap over a dictionary of objects that equal anything',
      tests: `from collections import ChainMap
assert f(1) == {"a": 738491625}`,
      program: `from collections import ChainMap
${E}class M(dict):
    def __getitem__(s,k): return E()
def f(x): return ChainMap(M(a=1))`,
    },
    {
      attack: 'the constants of a function of the tests',
      tests: 'assert f(lambda: 738491625) == 738491625',
      program: 'def f(g): return [c for c in g.__code__.co_consts if c][0]',
    },
    {
      attack: 'the closure of a function of the tests',
      tests: `def t(s): return f(lambda: s)
assert t(738491625) == 738491625`,
      program: 'def f(g): return g.__closure__[0].cell_contents',
    },
  ])('the tests reject $attack', async ({ tests, program }) => {
    expect(await judge({ type: 'assert', code: tests }, program)).toMatch(
      /^(sandbox_violation|runtime_error)$/,
    );
  });
});

describe('comparisons of the tests', () => {
  test.each([
    [
      'dataclasses of the tests',
      'accepted',
      'from dataclasses import dataclass\n@dataclass(slots=True)\nclass P:\n    x: int\n    y: int = 0\nassert f(P(1)) == P(2) and f(P(2)) == P(3)\nassert f(P(1)) != 1',
      'def f(p): return type(p)(p.x + 1)',
    ],
    [
      "objects of the program's own class",
      'accepted',
      `assert V(1,2)+V(3,4)==V(4,6)
assert V(4,6)-V(3,4)==V(1,2)
assert [V(1,2)]==[V(1,2)]
assert {V(1,2): 1}=={V(1,2): 1}
assert V(1,2) in [V(1,2)]
assert V(1,2) != V(1,3)
assert V(1,2) != None and V(1,2) is not None
assert {V(1,2)} == {V(1,2)}
assert list(V(1,2)) == [1, 2]
assert V(1,2) != V(2,1) != V(1,2)`,
      `class V:
    def __init__(s,x,y): s.x,s.y=x,y
    def __add__(s,o): return V(s.x+o.x,s.y+o.y)
    def __sub__(s,o): return V(s.x-o.x,s.y-o.y)
    def __eq__(s,o): return (s.x,s.y)==((o.x,o.y) if isinstance(o,V) else o)
    def __contains__(s,v): return v in (s.x,s.y)
    def __iter__(s): return iter((s.x,s.y))
    def __hash__(s): return 5`,
    ],
    [
      "an object of the program's class with a plain value",
      'sandbox_violation',
      'assert V(1,2) == (1,2)',
      `class V:
    def __init__(s,x,y): s.x,s.y=x,y
    def __add__(s,o): return V(s.x+o.x,s.y+o.y)
    def __sub__(s,o): return V(s.x-o.x,s.y-o.y)
    def __eq__(s,o): return (s.x,s.y)==((o.x,o.y) if isinstance(o,V) else o)
    def __contains__(s,v): return v in (s.x,s.y)
    def __iter__(s): return iter((s.x,s.y))
    def __hash__(s): return 5`,
    ],
    [
      "a plain value with the contents of an object of the program's class",
      'sandbox_violation',
      'assert 1 in V(1,2)',
      `class V:
    def __init__(s,x,y): s.x,s.y=x,y
    def __add__(s,o): return V(s.x+o.x,s.y+o.y)
    def __sub__(s,o): return V(s.x-o.x,s.y-o.y)
    def __eq__(s,o): return (s.x,s.y)==((o.x,o.y) if isinstance(o,V) else o)
    def __contains__(s,v): return v in (s.x,s.y)
    def __iter__(s): return iter((s.x,s.y))
    def __hash__(s): return 5`,
    ],
    [
      'a plain value with the items of an iterable of the program',
      'accepted',
      'assert 1 in f(0) and 3 not in f(0)',
      `class B:
    def __init__(s, v): s.v = v
    def __iter__(s): return iter(s.v)
def f(x): return B([1,2])`,
    ],
    [
      'dataclasses',
      'accepted',
      'assert f(1) == P(1, 2) and f(1) < P(2) and sorted([P(3), P(1)])[0] == P(1)',
      `from dataclasses import dataclass, field
@dataclass(order=True, frozen=True)
class P:
    x: int
    y: int = 2
def f(x): return P(x)`,
    ],
    [
      'named tuples and collections',
      'accepted',
      `from collections import Counter, deque
assert f(1) == (1, 2) == N(1,2)
assert g() == Counter('aba') == {'a': 2, 'b': 1}
assert h() == deque([1,2]) and list(h()) == [1,2] and 1 in h()
assert k() == {1: [2]}
assert 1 in k() and set(k()) - {1} == set()
assert (g() - Counter('a')) == Counter('ab')`,
      `from collections import namedtuple, Counter, deque, OrderedDict, defaultdict
from typing import NamedTuple
class N(NamedTuple):
    numerator: int
    denominator: int
def f(x): return N(1,2)
def g(): return Counter('aab')
def h(): return deque([1,2])
def k():
    d = defaultdict(list)
    d[1].append(2)
    return d`,
    ],
    [
      'enumerations',
      'accepted',
      'assert f(1) == C.R and f(1) is C.R and f(1) != 1 and I.A == 1 and C.R in C and f(1) in [C.R]',
      `from enum import Enum, IntEnum
class C(Enum):
    R = 1
class I(IntEnum):
    A = 1
def f(x): return C(x)`,
    ],
    [
      'subclasses of built-in classes that add nothing',
      'accepted',
      'assert f(3) == [3] and f(3)[0] - 1 == 2 and 3 in f(3) and 2 < f(3)[0] < 4',
      `class MyList(list): pass
class MyInt(int): pass
def f(x): return MyList([MyInt(x)])`,
    ],
    [
      'fractions, decimals and dates',
      'accepted',
      `from fractions import Fraction
from decimal import Decimal
from datetime import date, timedelta, datetime
assert f(1) == Fraction(1,2) == 0.5 and abs(f(1) - 0.5) < 1e-9
assert g() == Decimal('0.1') and abs(g() - Decimal('0.1')) < Decimal('1e-9')
assert h() == date(2020,1,2) and h() - date(2020,1,1) == timedelta(1) and h() - timedelta(1) == date(2020,1,1)`,
      `from fractions import Fraction
from decimal import Decimal
from datetime import *
def f(x): return Fraction(x, 2)
def g(): return Decimal('0.1')
def h(): return date(2020,1,2)`,
    ],
    [
      'objects that compare by identity',
      'accepted',
      `n = f(1)
assert n.v == 1 and n.next.v == 2 and n.next.next == None and n != None and n is not None and n == n and n != f(1)
assert [n] == [n] and n in [n] and n not in [1, 2]`,
      `class Node:
    def __init__(s, v, n=None): s.v, s.next = v, n
def f(x): return Node(x, Node(2))`,
    ],
    [
      'chains, patterns and evaluated code',
      'accepted',
      `def check(c):
    for i in range(100): assert c(i) == i * 2
    assert 0 <= c(1) <= 2 < 3
    assert not 1 < c(0) < 2
    assert eval('1+1') == 2 and globals()['f'](1) == 2 and 'c' in locals() and sorted(vars()) == ['c', 'i']
    match c(1):
        case 2: pass
        case -1: assert 0
        case _: assert 0
    x = 5
    x -= 3
    assert x == 2
check(f)`,
      'def f(x): return x*2',
    ],
    [
      'infinity and NaN',
      'accepted',
      `import math
assert f(1) == float('inf') and f(0) != f(0) and math.isnan(f(0))`,
      `import math
def f(x): return math.inf if x else float('nan')`,
    ],
    [
      'eval, exec, locals and globals',
      'accepted',
      "assert f(1)[:3] == [4, ['x', 'y'], 'x'] and f(1)[3:6] == [4, ['a'], ['x','y']], f(1)",
      `def f(x):
    y = 3
    r = [eval('x + y'), sorted(locals())[:2], sorted(vars())[0]]
    ns = {}
    exec('z = 4', ns)
    exec('q = x')
    class K:
        a = 1
        b = sorted(k for k in locals() if k == 'a')
    return r + [ns['z'], K.b, [n for n in dir() if n in 'xy'], globals() is __import__('sys').modules[__name__].__dict__]
exec('w = 9')
assert w == 9 and eval('w') == 9 and 'w' in globals() and locals() is globals() and 'w' in dir()`,
    ],
    [
      'signatures, annotations and closures',
      'accepted',
      'assert f(1) == 2',
      `import functools, inspect, typing, dataclasses, annotationlib
def deco(g):
    @functools.wraps(g)
    def w(*a, **k): return g(*a, **k)
    return w
@deco
def g(a: int, b: 'str' = '') -> bool: return True
@dataclasses.dataclass(slots=True)
class D:
    a: int = 1
    def m(self): return __class__
@functools.singledispatch
def s(x): return 0
@s.register
def _(x: int): return 2
def f(x):
    assert typing.get_type_hints(g) == {'a': int, 'b': str, 'return': bool}
    assert str(inspect.signature(g)) == "(a: int, b: 'str' = '') -> bool", inspect.signature(g)
    assert annotationlib.get_annotations(D)
    assert D().m() is D
    assert inspect.getclosurevars(deco(g))
    def h(): return x
    assert h.__closure__[0].cell_contents == x and h.__globals__ is globals() and h.__code__.co_name == 'h' and g.__defaults__ is None
    h.__code__ = h.__code__.replace(co_name='k')
    h.__defaults__ = ()
    return s(x)`,
    ],
    [
      'a subclass of str',
      'accepted',
      "assert f(1) == 'a' and 'a' in f(1)",
      `class CI(str):
    pass
def f(x): return CI('a')`,
    ],
    [
      'an iterator of its own class',
      'accepted',
      `assert list(f(1)) == [1,2,3] and 2 in f(1)
assert [a - 1 for a in f(1)] == [0,1,2]`,
      `class It:
    def __init__(s): s.n = 0
    def __iter__(s): return s
    def __next__(s):
        s.n += 1
        if s.n > 3: raise StopIteration
        return s.n
def f(x): return It()`,
    ],
    [
      'modules that the tests import',
      'accepted',
      `import random
random.seed(1)
assert f(1) == 0.13436424411240122
import numbers, re, itertools, string, copy
assert re.fullmatch('a+', 'aa') and copy.deepcopy([1]) == [1]`,
      `import random
def f(x):
    random.seed(1)
    return random.random()`,
    ],
    [
      'a function of the tests that is curried',
      'accepted',
      'assert curry(lambda a, b, c: a + b + c)(1)(2)(3) == 6',
      `import inspect, functools
def curry(fn):
    n = fn.__code__.co_argcount
    assert len(inspect.signature(fn).parameters) == n and callable(functools.wraps(fn)(lambda: 0)) and fn.__defaults__ is None and fn.__name__
    def go(*a): return fn(*a) if len(a) >= n else lambda *b: go(*a, *b)
    return go`,
    ],
  ])('a comparison of %s ends with %s', async (_name, status, code, answer) => {
    expect(await judge({ type: 'assert', code }, answer)).toBe(status);
  });
});

describe('modules that read frames', () => {
  const cases = [{ input: '', output: '1' }];
  const two = { type: 'assert', code: 'assert f(1) == 2' };
  test.each([
    [
      'logging',
      two,
      `import logging
def f(x):
    logging.warning('x')
    return 2`,
    ],
    [
      'unittest',
      two,
      `import unittest
class T(unittest.TestCase):
    def test(self):
        with self.assertRaises(ValueError): int('x')
    def test_bad(self): self.assertEqual(1, 2)
r = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(T))
def f(x): return len(r.failures) + r.testsRun - 1`,
    ],
    [
      'unittest as a program',
      { type: 'stdio', cases },
      `print(1)
import unittest
class T(unittest.TestCase):
    def test(self): self.assertRaises(ValueError, int, 'x')
unittest.main()`,
    ],
    [
      'doctest',
      two,
      `def f(x):
    '''
    >>> f(1)
    2
    >>> f(2)
    5
    '''
    return 2
import doctest
r = doctest.testmod()
assert r.failed == 1, r`,
    ],
    [
      'pdb',
      two,
      `import pdb
def f(x): return 2`,
    ],
    [
      'unittest in the tests',
      {
        type: 'assert',
        code: `import unittest
class T(unittest.TestCase):
    def test(self):
        self.assertEqual(f(1), 2)
        with self.assertRaises(ValueError): f(5)
        self.assertRaises(ValueError, f, 6)
unittest.main(argv=['x'], exit=False)
assert unittest.defaultTestLoader.loadTestsFromTestCase(T).run(unittest.TestResult()) or True
r = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(T).run(r)
assert r.wasSuccessful(), r.failures + r.errors`,
      },
      `def f(x):
    if x > 3: raise ValueError(x)
    return 2`,
    ],
    [
      'traceback',
      two,
      `import traceback
def f(x):
    try: 1/0
    except Exception as e: return 2 if 'ZeroDivisionError' in ''.join(traceback.TracebackException.from_exception(e).format()) else 0`,
    ],
  ])('a program may use %s', async (_name, tests, answer) => {
    expect(await judge(tests, answer)).toBe('accepted');
  });
});
