package register

// ByPieces is a register that stages files by pieces of so many bytes.
func (g Register) ByPieces(size int64) Register {
	g.piece = size
	return g
}
