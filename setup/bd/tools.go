//go:build tools

// Package bd pins the Beads release that fractal builds when no bd is installed.
package bd

import _ "github.com/steveyegge/beads/cmd/bd"
