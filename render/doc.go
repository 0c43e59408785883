// Package render draws real and complex images as figures: a title, the image with its pixel axes and a
// colour bar, in PNG. Equal figures give equal bytes.
package render
