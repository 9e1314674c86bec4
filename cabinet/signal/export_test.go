package signal

// Waited tells whether anybody has waited since the last news.
func (f *Feed) Waited() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.moved != nil
}
