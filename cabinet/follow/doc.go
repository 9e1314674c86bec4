package follow
