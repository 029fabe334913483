#lang racket

;; The number after n.
(define (next_number n)

;; === reference ===
  (+ n 1))

;; === tests ===
(require rackunit)

(define (test-humaneval) 

  (let (( candidate next_number))
    (check-within (candidate 1) 2 0.001)
    (check-within (candidate -5) -4 0.001)
    (check-within (candidate 99) 100 0.001)
))

(test-humaneval)
;; === end ===
