package agreement
