package builtin

import "math"

// The loops below are written so that the compiler needs few checks of bounds.
// Products are rounded before they are added (the conversions), so that machines
// with fused multiply-add give the same vectors as those without.

// axpy adds a*x to y.
func axpy(a float32, x, y []float32) {
	y = y[:len(x)]
	for len(x) >= 4 && len(y) >= 4 {
		y[0] += float32(a * x[0])
		y[1] += float32(a * x[1])
		y[2] += float32(a * x[2])
		y[3] += float32(a * x[3])
		x, y = x[4:], y[4:]
	}
	for i := range x {
		y[i] += float32(a * x[i])
	}
}

// dot is the sum of products, in four interleaved sums.
func dot(x, y []float32) float32 {
	y = y[:len(x)]
	var a, b, c, d float32
	for len(x) >= 4 && len(y) >= 4 {
		a += float32(x[0] * y[0])
		b += float32(x[1] * y[1])
		c += float32(x[2] * y[2])
		d += float32(x[3] * y[3])
		x, y = x[4:], y[4:]
	}
	for i := range x {
		a += float32(x[i] * y[i])
	}
	return (a + b) + (c + d)
}

// normalize scales x to length 1 and returns its former length; a zero vector stays.
func normalize(x []float32) float32 {
	n := float32(math.Sqrt(float64(dot(x, x))))
	if n > 0 {
		for i := range x {
			x[i] /= n
		}
	}
	return n
}
