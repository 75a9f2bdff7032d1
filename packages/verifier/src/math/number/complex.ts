/**
 * Complex numbers with error bounds, over any {@link Real}: z = re + i im, |true - z| <= err to first order.
 * With the bound a comparison can say "different", "equal at this precision" or nothing. Branches are principal; the cube
 * root of a real number is real. Leaves out: trees (evaluate.ts).
 */
import type { Rational } from './rational.ts';
import type { Real } from './real.ts';

export interface Complex<T> {
  readonly re: T;
  readonly im: T;
  readonly err: T;
}

/** The value cannot be determined: a pole, an overflow, an argument beyond the caps, precision lost. */
export class Undetermined extends Error {}

/** exp of a larger argument overflows at both precisions; a larger angle keeps too few digits after its reduction. */
const MAX_EXPONENT = 100_000;
const MAX_ANGLE = 1e30;

export class ComplexField<T> {
  readonly r: Real<T>;
  readonly eps: T;
  readonly #maxAngle: number;
  readonly i: Complex<T>;
  readonly one: Complex<T>;
  readonly pi: Complex<T>;

  constructor(r: Real<T>) {
    this.r = r;
    this.eps = r.number(r.epsilon * 4);
    this.#maxAngle = Math.min(MAX_ANGLE, 1e-3 / r.epsilon);
    this.one = { re: r.one, im: r.zero, err: r.zero };
    this.i = { re: r.zero, im: r.one, err: r.zero };
    this.pi = { re: r.pi, im: r.zero, err: r.mul(r.pi, this.eps) };
  }

  rational(q: Rational): Complex<T> {
    const re = this.r.from(q);
    return this.make(re, this.r.zero, this.r.zero);
  }

  /** |z| by the 1-norm: within a factor 1.42, and cheap. */
  size(z: Complex<T>): T {
    return this.r.add(this.r.abs(z.re), this.r.abs(z.im));
  }

  /** Adds the rounding of the last operation to an inherited error. @throws {Undetermined} on overflow. */
  make(re: T, im: T, inherited: T): Complex<T> {
    const r = this.r;
    const rounding = r.mul(this.eps, r.add(r.abs(re), r.abs(im)));
    const z = { re, im, err: r.add(inherited, rounding) };
    if (!r.isFinite(re) || !r.isFinite(im) || !r.isFinite(z.err)) {
      throw new Undetermined('overflow');
    }
    return z;
  }

  isReal(z: Complex<T>): boolean {
    return this.r.isZero(z.im) || !this.r.less(z.err, this.r.abs(z.im));
  }

  /** Sets an imaginary part within the error to 0. This keeps branch cuts stable. */
  snap(z: Complex<T>): Complex<T> {
    return this.r.isZero(z.im) || !this.isReal(z) ? z : { re: z.re, im: this.r.zero, err: z.err };
  }

  add(a: Complex<T>, b: Complex<T>): Complex<T> {
    const r = this.r;
    return this.make(r.add(a.re, b.re), r.add(a.im, b.im), r.add(a.err, b.err));
  }

  neg(a: Complex<T>): Complex<T> {
    return { re: this.r.neg(a.re), im: this.r.neg(a.im), err: a.err };
  }

  mul(a: Complex<T>, b: Complex<T>): Complex<T> {
    const r = this.r;
    const err = r.add(
      r.add(r.mul(this.size(a), b.err), r.mul(this.size(b), a.err)),
      r.mul(a.err, b.err),
    );
    if (r.isZero(a.im) && r.isZero(b.im)) return this.make(r.mul(a.re, b.re), r.zero, err);
    const re = r.sub(r.mul(a.re, b.re), r.mul(a.im, b.im));
    return this.make(
      re,
      r.add(r.mul(a.re, b.im), r.mul(a.im, b.re)),
      r.add(err, r.mul(this.eps, r.mul(this.size(a), this.size(b)))),
    );
  }

  /** @throws {Undetermined} if the divisor may be zero */
  inverse(a: Complex<T>): Complex<T> {
    const r = this.r;
    const size = this.size(a);
    if (!r.less(r.mul(r.number(4), a.err), size)) {
      throw new Undetermined('division by what may be zero');
    }
    const norm = r.add(r.mul(a.re, a.re), r.mul(a.im, a.im));
    const err = r.div(r.mul(a.err, r.number(2)), norm);
    return this.make(r.div(a.re, norm), r.div(r.neg(a.im), norm), err);
  }

  div(a: Complex<T>, b: Complex<T>): Complex<T> {
    return this.mul(a, this.inverse(b));
  }

  private checkArgument(x: T, limit: number): void {
    if (!this.r.less(this.r.abs(x), this.r.number(limit))) {
      throw new Undetermined('argument too large');
    }
  }

  exp(a: Complex<T>): Complex<T> {
    const r = this.r;
    this.checkArgument(a.re, MAX_EXPONENT);
    this.checkArgument(a.im, this.#maxAngle);
    const m = r.exp(a.re);
    const err = r.mul(m, r.mul(r.number(3), r.add(a.err, r.mul(this.eps, this.size(a)))));
    if (r.isZero(a.im)) return this.make(m, r.zero, err);
    return this.make(r.mul(m, r.cos(a.im)), r.mul(m, r.sin(a.im)), err);
  }

  /** Principal logarithm. */
  ln(z: Complex<T>): Complex<T> {
    const r = this.r;
    const a = this.snap(z);
    const size = this.size(a);
    if (!r.less(r.mul(r.number(4), a.err), size)) {
      throw new Undetermined('logarithm of what may be zero');
    }
    const err = r.add(r.div(r.mul(a.err, r.number(3)), size), this.eps);
    const norm = r.isZero(a.im)
      ? r.ln(r.abs(a.re))
      : r.div(r.ln(r.add(r.mul(a.re, a.re), r.mul(a.im, a.im))), r.number(2));
    return this.make(norm, this.argument(a), err);
  }

  /** The angle in (-pi, pi]. */
  argument(a: Complex<T>): T {
    const r = this.r;
    if (r.isZero(a.im)) return r.less(a.re, r.zero) ? r.pi : r.zero;
    if (r.isZero(a.re)) return r.div(r.less(a.im, r.zero) ? r.neg(r.pi) : r.pi, r.number(2));
    const base = r.atan(r.div(a.im, a.re));
    if (!r.less(a.re, r.zero)) return base;
    return r.less(a.im, r.zero) ? r.sub(base, r.pi) : r.add(base, r.pi);
  }

  sqrt(z: Complex<T>): Complex<T> {
    const r = this.r;
    const a = this.snap(z);
    const size = this.size(a);
    if (!r.less(a.err, size)) return { re: r.zero, im: r.zero, err: r.sqrt(r.add(size, a.err)) };
    const modulus = r.isZero(a.im)
      ? r.abs(a.re)
      : r.sqrt(r.add(r.mul(a.re, a.re), r.mul(a.im, a.im)));
    const root = r.sqrt(modulus);
    const err = r.div(a.err, root);
    if (r.isZero(a.im)) {
      return r.less(a.re, r.zero) ? this.make(r.zero, root, err) : this.make(root, r.zero, err);
    }
    const re = r.sqrt(r.div(r.add(modulus, r.abs(a.re)), r.number(2)));
    const im = r.div(r.abs(a.im), r.mul(r.number(2), re));
    const [x, y] = r.less(a.re, r.zero) ? [im, re] : [re, im];
    return this.make(x, r.less(a.im, r.zero) ? r.neg(y) : y, err);
  }

  /** a^k by squaring, |k| up to a few hundred. */
  integerPower(a: Complex<T>, k: number): Complex<T> {
    let [result, base, e] = [this.one, k < 0 ? this.inverse(a) : a, Math.abs(k)];
    for (; e > 0; e = Math.floor(e / 2)) {
      if (e % 2 === 1) result = this.mul(result, base);
      if (e > 1) base = this.mul(base, base);
    }
    return result;
  }

  power(a: Complex<T>, b: Complex<T>): Complex<T> {
    if (this.r.isZero(a.re) && this.r.isZero(a.im) && this.r.isZero(a.err)) {
      if (this.isReal(b) && this.r.less(this.r.zero, b.re)) return a;
      throw new Undetermined('0 to no positive power');
    }
    return this.exp(this.mul(b, this.ln(a)));
  }

  sin(a: Complex<T>): Complex<T> {
    const r = this.r;
    this.checkArgument(a.re, this.#maxAngle);
    const err = r.add(a.err, r.mul(this.eps, this.size(a)));
    if (r.isZero(a.im)) return this.make(r.sin(a.re), r.zero, err);
    return this.viaExp(a, (p, m) =>
      this.div(this.add(p, this.neg(m)), this.mul(this.rational({ n: 2n, d: 1n }), this.i)),
    );
  }

  cos(a: Complex<T>): Complex<T> {
    const r = this.r;
    this.checkArgument(a.re, this.#maxAngle);
    const err = r.add(a.err, r.mul(this.eps, this.size(a)));
    if (r.isZero(a.im)) return this.make(r.cos(a.re), r.zero, err);
    return this.viaExp(a, (p, m) => this.mul(this.rational({ n: 1n, d: 2n }), this.add(p, m)));
  }

  private viaExp(
    a: Complex<T>,
    combine: (plus: Complex<T>, minus: Complex<T>) => Complex<T>,
  ): Complex<T> {
    const ia = this.mul(this.i, a);
    return combine(this.exp(ia), this.exp(this.neg(ia)));
  }

  /** Inverse tangent: real by the library, complex by logarithms. */
  atan(a: Complex<T>): Complex<T> {
    const z = this.snap(a);
    if (this.r.isZero(z.im)) return this.make(this.r.atan(z.re), this.r.zero, z.err);
    const half = this.mul(this.rational({ n: 1n, d: 2n }), this.i);
    const iz = this.mul(this.i, z);
    return this.mul(
      half,
      this.add(
        this.ln(this.add(this.one, this.neg(iz))),
        this.neg(this.ln(this.add(this.one, iz))),
      ),
    );
  }

  /** asin z = -i ln(iz + sqrt(1 - z^2)). */
  asin(a: Complex<T>): Complex<T> {
    const root = this.sqrt(this.add(this.one, this.neg(this.mul(a, a))));
    const z = this.mul(this.neg(this.i), this.ln(this.add(this.mul(this.i, a), root)));
    return this.snap(z);
  }
}
