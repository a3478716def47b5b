package vlenstest

// First and family names for people who do not exist. The words are everyday
// Arabic nouns and places in Latin letters, put together in ways no register
// would: nobody is called "Fanous Bortoqal".
var (
	womensNames = []string{
		"Warda", "Nagma", "Shams", "Yasmina", "Lulua", "Rihana", "Zahra", "Fayrouza", "Nada", "Qamara",
		"Basma", "Ghazala", "Marmara", "Sukkara", "Nasma", "Tuta", "Farasha", "Almaza",
	}
	mensNames = []string{
		"Fanous", "Nimr", "Saqr", "Bahr", "Rabie", "Gabal", "Barq", "Nahr", "Zaytoun", "Qalam",
		"Kitab", "Shira", "Mizan", "Borg", "Ward", "Maqha", "Turmus", "Nakhl",
	}
	familyNames = []string{
		"Bortoqal", "El-Tamr", "Batteekh", "El-Manga", "Limoun", "El-Rumman", "Koshary", "El-Samak", "Asal", "El-Qutn",
		"Falafel", "El-Nil", "Karkade", "El-Sabbar", "Molokhia", "El-Ghazl", "Basbousa", "El-Marakeb", "Feteer", "El-Khashab",
	}
)
