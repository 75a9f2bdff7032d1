;; Puts a memory back to its image: pages that differ are copied, the rest is only read. A page that
;; was never written in either memory is the kernel's shared page of zeros, which takes almost no time to read.
;; Built into restore.wasm by scripts/build-restore.ts; a test compares the two.
(module
  (import "restore" "heap" (memory 0))
  (import "restore" "image" (memory 0))
  ;; Bytes [$at, $end), both multiples of 4096. Answers the number of pages that were copied.
  (func (export "restore") (param $at i32) (param $end i32) (result i32)
    (local $stop i32)
    (local $copied i32)
    (local $a v128)
    (local $b v128)
    (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 0))))
    (loop $page
      (local.set $stop (i32.add (local.get $at) (i32.const 4096)))
      (local.set $a (v128.const i64x2 0 0))
      (local.set $b (v128.const i64x2 0 0))
      (loop $bytes
        (local.set $a (v128.or (local.get $a) (v128.xor (v128.load 0 offset=0 (local.get $at)) (v128.load 1 offset=0 (local.get $at)))))
        (local.set $b (v128.or (local.get $b) (v128.xor (v128.load 0 offset=16 (local.get $at)) (v128.load 1 offset=16 (local.get $at)))))
        (local.set $a (v128.or (local.get $a) (v128.xor (v128.load 0 offset=32 (local.get $at)) (v128.load 1 offset=32 (local.get $at)))))
        (local.set $b (v128.or (local.get $b) (v128.xor (v128.load 0 offset=48 (local.get $at)) (v128.load 1 offset=48 (local.get $at)))))
        (local.set $a (v128.or (local.get $a) (v128.xor (v128.load 0 offset=64 (local.get $at)) (v128.load 1 offset=64 (local.get $at)))))
        (local.set $b (v128.or (local.get $b) (v128.xor (v128.load 0 offset=80 (local.get $at)) (v128.load 1 offset=80 (local.get $at)))))
        (local.set $a (v128.or (local.get $a) (v128.xor (v128.load 0 offset=96 (local.get $at)) (v128.load 1 offset=96 (local.get $at)))))
        (local.set $b (v128.or (local.get $b) (v128.xor (v128.load 0 offset=112 (local.get $at)) (v128.load 1 offset=112 (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 128)))
        (br_if $bytes (i32.lt_u (local.get $at) (local.get $stop))))
      (if (v128.any_true (v128.or (local.get $a) (local.get $b)))
        (then
          (memory.copy 0 1
            (i32.sub (local.get $stop) (i32.const 4096))
            (i32.sub (local.get $stop) (i32.const 4096))
            (i32.const 4096))
          (local.set $copied (i32.add (local.get $copied) (i32.const 1)))))
      (br_if $page (i32.lt_u (local.get $at) (local.get $end))))
    (local.get $copied)))
