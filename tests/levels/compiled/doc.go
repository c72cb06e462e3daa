// Package compiled tells the level that it was compiled for.
package compiled
