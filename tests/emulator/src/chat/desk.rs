//! Who is on the desk, where they talk, and what they say.

#[derive(Debug)]
pub struct Person {
    pub user_id: i64,
    pub first_name: &'static str,
    pub last_name: &'static str,
    pub username: &'static str,
    pub company: &'static str,
    pub user_agent: &'static str,
}

const MAC: &str = "DESKTOP-43.0.0-10902-MacOSX-10.14.6-Chrome-83.0.4103.61";
const WINDOWS: &str = "Web-24.2.0-6710-Windows-10-Chrome-121.0.6167.184";
const PHONE: &str = "Mobile-24.1.1-3308-iOS-17.3.1-iPhone15,2";

const fn person(user_id: i64, [first_name, last_name, username, company, user_agent]: [&'static str; 5]) -> Person {
    Person {
        user_id,
        first_name,
        last_name,
        username,
        company,
        user_agent,
    }
}

pub const PEOPLE: [Person; 8] = [
    person(
        349_026_222_342_101,
        ["Amara", "Okafor", "amara.okafor", "Northgate", WINDOWS],
    ),
    person(
        349_026_222_342_102,
        ["Jürgen", "Großmann", "juergen.grossmann", "Northgate", WINDOWS],
    ),
    person(349_026_222_342_103, ["Mei", "Tanaka", "mei.tanaka", "Northgate", MAC]),
    person(349_026_222_342_104, ["Luis", "Peña", "luis.pena", "Northgate", PHONE]),
    person(
        71_811_853_190_212,
        ["Claire", "O'Brien", "claire.obrien", "Harbour", MAC],
    ),
    person(
        71_811_853_190_213,
        ["Søren", "Lindqvist", "soren.lindqvist", "Harbour", WINDOWS],
    ),
    person(
        13_056_700_580_915,
        ["Priya", "Raman", "priya.raman", "Halcyon", WINDOWS],
    ),
    // Too great for a double.
    person(9_007_199_254_740_993, ["Zoë", "Adler", "zoe.adler", "Halcyon", MAC]),
];

#[derive(Debug)]
pub struct Room {
    pub stream_id: &'static str,
    pub stream_type: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    pub external: bool,
}

const fn room([stream_id, stream_type, name, description]: [&'static str; 4], external: bool) -> Room {
    Room {
        stream_id,
        stream_type,
        name,
        description,
        external,
    }
}

pub const ROOMS: [Room; 5] = [
    room(
        [
            "Jq3Vb0yT9m1aWc7dLkEeBn___oy8RzQmdA",
            "ROOM",
            "EUR rates",
            "Govies, swaps, \"the curve\"",
        ],
        false,
    ),
    room(
        [
            "h2Xt5uPn8sGf4rKjQwZyCv___pFvD1LtdA",
            "ROOM",
            "Credit – primary",
            "New issues & books",
        ],
        false,
    ),
    room(
        [
            "b7Kp3cRm6xVd1nTgSfHaEu___oz4MwJodA",
            "ROOM",
            "Northgate / Harbour RFQ",
            "Prices on request",
        ],
        true,
    ),
    room(
        [
            "y9Lw4zNq2eBs8vCiUoDtAr___pE6GkXhdA",
            "ROOM",
            "Middle office",
            "Breaks, settlements\\confirms",
        ],
        false,
    ),
    room(["f1Sd6gHj3kMl5pQrTuWxYz___n93VbCcdA", "IM", "", ""], false),
];

/// Instruments, and about what they cost.
pub const INSTRUMENTS: [(&str, f64); 8] = [
    ("Bund Feb-34", 98.41),
    ("OAT Nov-33", 101.27),
    ("BTP Mar-34", 103.86),
    ("EUR 10y swap", 2.63),
    ("UST 4% Feb-34", 98.72),
    ("Gilt Jan-34", 104.15),
    ("XYZ 3¾ 2029", 97.90),
    ("ABC & Söhne 5% perp", 88.50),
];

#[derive(Debug)]
pub struct Line {
    /// 0, 1 or 2: who, of those who talk.
    pub speaker: usize,
    pub text: &'static str,
}

const fn say(speaker: usize, text: &'static str) -> Line {
    Line { speaker, text }
}

pub const CONVERSATIONS: [&[Line]; 9] = [
    &[
        say(0, "Morning all ☕ anything in {instrument}?"),
        say(1, "Quiet so far. We were shown {size} on the bid around {price}"),
        say(0, "Real money?"),
        say(1, "Pension fund, I think. They were in last week too"),
        say(2, "I can do half of that if they come back"),
        say(0, "Good. Keep me posted 👍"),
    ],
    &[
        say(0, "RFQ: offer in {size} {instrument} please"),
        say(1, "{price}, good for the next minute"),
        say(0, "Could you do two cents better?"),
        say(1, "For you, one"),
        say(0, "Done. Booked {size}"),
        say(1, "Done, thanks. Confirm to follow"),
        say(2, "Confirm sent, T+2"),
    ],
    &[
        say(0, "{instrument} just gapped, anyone know why?"),
        say(1, "Headline on issuance: \"supply to rise in Q3\""),
        say(2, "Ours says < 5bn more, so that's an overreaction"),
        say(1, "Agreed. Last is {price}, was 30 ticks higher an hour ago"),
        say(0, "OK, leaving my order where it is"),
    ],
    &[
        say(0, "New issue: {instrument}, books open, IPT plus 145 area"),
        say(1, "Size?"),
        say(0, "Benchmark. We hear {size} from the lead alone"),
        say(2, "Put us down for {size}, no limit"),
        say(1, "Guidance is out: plus 125, books > 3x"),
        say(0, "Terms set at plus 120. Allocations this afternoon"),
    ],
    &[
        say(0, "We have a break on {instrument}, {size}"),
        say(1, "What do they have?"),
        say(0, "Same price, {price}, but settlement a day later"),
        say(2, "That's the holiday on their side. I'll call them"),
        say(2, "Fixed, they re-sent it. Matched now ✔"),
        say(0, "Thank you!"),
    ],
    &[
        say(0, "Who is on late cover today?"),
        say(1, "Me until six, then the New York desk"),
        say(2, "I'm in until seven if something comes up"),
        say(
            0,
            "Great. Client wants a level in {instrument} at five, mid is {price} now",
        ),
        say(1, "Will send it. Which client?"),
        say(0, "C:\\clients\\harbour\\levels.xlsx, second tab"),
    ],
    &[
        say(0, "Risk limit warning in {instrument}: 92% used"),
        say(1, "That's the block from this morning, {size}"),
        say(0, "Plan?"),
        say(1, "Selling half into the close, {price} or better"),
        say(0, "Please note it in the system\nand copy me"),
        say(1, "Done & noted"),
    ],
    &[
        say(0, "明日の入札はどう見ますか？"),
        say(1, "Demand looks fine here, {instrument} as a hedge at {price}"),
        say(0, "ありがとう 🙏 {size} then"),
        say(2, "Covered with the swap desk"),
    ],
    &[
        say(0, "Lunch? The place round the corner has Käsespätzle 😋"),
        say(1, "After the auction. {instrument} comes at 12:30"),
        say(2, "Save me a seat, I'm long {size} until then"),
        say(0, "Result: cut at {price}, 1.9x covered. Coming now"),
    ],
];
