;; What an optimizer does to arrays in place, four floats at once, in float32 as PyTorch does it. Each kind of array
;; lies in a memory of its own. All places are bytes and multiples of 16, all counts multiples of 8 floats and above 0.
;; Built into adamw.wasm by scripts/build-kernels.ts; a test compares the two.
(module
  (import "arrays" "weight" (memory $weights 0))
  (import "arrays" "grad" (memory $grads 0))
  (import "arrays" "mean" (memory $means 0))
  (import "arrays" "square" (memory $squares 0))

  ;; mean = beta1 mean + fresh1 g, square = beta2 square + fresh2 g^2 with g = scale grad;
  ;; weight = keep weight - rate mean / (sqrt(correction square) + eps)
  (func (export "adamw")
    (param $weight i32) (param $grad i32) (param $mean i32) (param $square i32) (param $count i32)
    (param $beta1 f32) (param $fresh1 f32) (param $beta2 f32) (param $fresh2 f32)
    (param $scale f32) (param $correction f32) (param $eps f32) (param $rate f32) (param $keep f32)
    (local $at i32) (local $end i32) (local $g v128) (local $m v128) (local $v v128)
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (loop $four
      (local.set $g (f32x4.mul
        (v128.load $grads (i32.add (local.get $grad) (local.get $at)))
        (f32x4.splat (local.get $scale))))
      (local.set $m (f32x4.add
        (f32x4.mul (v128.load $means (i32.add (local.get $mean) (local.get $at))) (f32x4.splat (local.get $beta1)))
        (f32x4.mul (local.get $g) (f32x4.splat (local.get $fresh1)))))
      (local.set $v (f32x4.add
        (f32x4.mul (v128.load $squares (i32.add (local.get $square) (local.get $at))) (f32x4.splat (local.get $beta2)))
        (f32x4.mul (f32x4.mul (local.get $g) (local.get $g)) (f32x4.splat (local.get $fresh2)))))
      (v128.store $means (i32.add (local.get $mean) (local.get $at)) (local.get $m))
      (v128.store $squares (i32.add (local.get $square) (local.get $at)) (local.get $v))
      (v128.store $weights (i32.add (local.get $weight) (local.get $at))
        (f32x4.sub
          (f32x4.mul
            (v128.load $weights (i32.add (local.get $weight) (local.get $at)))
            (f32x4.splat (local.get $keep)))
          (f32x4.div
            (f32x4.mul (local.get $m) (f32x4.splat (local.get $rate)))
            (f32x4.add
              (f32x4.sqrt (f32x4.mul (local.get $v) (f32x4.splat (local.get $correction))))
              (f32x4.splat (local.get $eps))))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $four (i32.lt_u (local.get $at) (local.get $end)))))

  ;; Sum of the squares of $count gradients, in float64.
  (func (export "sumOfSquares") (param $grad i32) (param $count i32) (result f64)
    (local $end i32) (local $x v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $end (i32.add (local.get $grad) (i32.shl (local.get $count) (i32.const 2))))
    (loop $eight
      (local.set $x (f64x2.promote_low_f32x4 (v128.load64_zero $grads offset=0 (local.get $grad))))
      (local.set $a (f64x2.add (local.get $a) (f64x2.mul (local.get $x) (local.get $x))))
      (local.set $x (f64x2.promote_low_f32x4 (v128.load64_zero $grads offset=8 (local.get $grad))))
      (local.set $b (f64x2.add (local.get $b) (f64x2.mul (local.get $x) (local.get $x))))
      (local.set $x (f64x2.promote_low_f32x4 (v128.load64_zero $grads offset=16 (local.get $grad))))
      (local.set $c (f64x2.add (local.get $c) (f64x2.mul (local.get $x) (local.get $x))))
      (local.set $x (f64x2.promote_low_f32x4 (v128.load64_zero $grads offset=24 (local.get $grad))))
      (local.set $d (f64x2.add (local.get $d) (f64x2.mul (local.get $x) (local.get $x))))
      (local.set $grad (i32.add (local.get $grad) (i32.const 32)))
      (br_if $eight (i32.lt_u (local.get $grad) (local.get $end))))
    (local.set $x (f64x2.add
      (f64x2.add (local.get $a) (local.get $b))
      (f64x2.add (local.get $c) (local.get $d))))
    (f64.add (f64x2.extract_lane 0 (local.get $x)) (f64x2.extract_lane 1 (local.get $x)))))
