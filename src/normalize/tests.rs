//! What must hold for any text: canonical forms are stable, nothing panics, names meet across scripts; and what each form costs.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use proptest::prelude::*;

use crate::normalize::contact::contacts_in;
use crate::normalize::emoji::emoji;
use crate::normalize::html::text_and_links;
use crate::normalize::links::links_in;
use crate::normalize::lookalike::{CharMatch, char_match, coarse};
use crate::normalize::romanize::romanized;
use crate::normalize::script::script_of;
use crate::normalize::sound::sound;
use crate::normalize::unicode::{ascii_digit, compact, fold, visible, words};
use crate::normalize::url::link_key;

/// Texts with the traps close together: look-alikes, marks, joiners, enclosures, flags, Arabic, digits, signs.
fn tricky() -> impl Strategy<Value = String> {
    let traps = "aIl1|0OmrnAаАвВνΝ@$!_.- \u{200B}\u{200D}\u{202E}\u{301}\u{FE0F}\u{20E3}🅱ⓐ⒜𝓐ʙĸßİıøﬁ🇵🇰🇹❤👍🏽محہهيیىئءـ\u{64B}٣۳कि\u{93C}\u{94D}कुशं한ᄒ\u{1161}\u{3164}東京タカ\u{3099}ไทยเἈΐǅꭺᎪ";
    prop::collection::vec(
        prop_oneof![
            4 => prop::sample::select(traps.chars().collect::<Vec<_>>()),
            1 => any::<char>(),
        ],
        0..24,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn canonical_text_is_stable(text in tricky()) {
        let plain = visible(&text);
        prop_assert_eq!(visible(&plain), plain.clone());
        let folded = fold(&text);
        prop_assert_eq!(fold(&folded), folded.clone());
        prop_assert_eq!(fold(&plain), folded);
        let joined = compact(&text);
        prop_assert_eq!(compact(&joined), joined);
        prop_assert!(words(&text).iter().all(|word| !word.is_empty()));
    }

    #[test]
    fn coarse_ignores_ascii_case_separators_and_leet(text in "[a-z]{1,12}", at in 0usize..12) {
        let key = coarse(&text);
        prop_assert_eq!(coarse(&key), key.clone());
        prop_assert_eq!(coarse(&text.to_uppercase()), key.clone());
        let mut spaced = text.clone();
        spaced.insert(at.min(text.len()), '_');
        prop_assert_eq!(coarse(&spaced), key.clone());
        let leet: String = text.chars().map(|c| match c {
            'o' => '0', 'i' | 'l' => '1', 'e' => '3', 'a' => '4', 's' => '5', 't' => '7', 'b' => '8', other => other,
        }).collect();
        prop_assert_eq!(coarse(&leet), key.clone());
        let cyrillic = text.replacen('a', "а", 1).replacen('o', "о", 1);
        prop_assert_eq!(coarse(&cyrillic), key);
    }

    #[test]
    fn plain_words_are_the_general_words(text in "[a-zA-Z0-9 '_.:,،؟كتابЖя۷-]{0,30}") {
        // A final Devanagari word forces the general path.
        let mut general = words(&format!("{text} क"));
        general.pop();
        prop_assert_eq!(words(&text), general);
    }

    #[test]
    fn links_are_their_own_keys(link in "(https?://)?(www\\.|m\\.)?(x\\.com|t\\.me|youtube\\.com|facebook\\.com|wa\\.me|a\\.example\\.org|bücher\\.de|matrix\\.to)(:[0-9]{1,4})?(/[a-zA-Z0-9@+%._~é-]{0,8}){0,3}(\\?[a-z]{1,3}=[a-zA-Z0-9%+/&=]{0,6})?(#[a-z/@:]{0,5})?") {
        if let Some(key) = link_key(&link) {
            let again = link_key(&key.key);
            prop_assert_eq!(again, Some(key));
        }
    }

    #[test]
    fn nothing_panics(text in tricky(), any_text in ".{0,40}", a: char, b: char, noise in "[@#+0-9a-z./:()\\[\\]<>&;%?= -]{0,60}") {
        for text in [&text, &any_text, &noise] {
            let _ = (coarse(text), romanized(text), sound(text), emoji(text), script_of(text));
            let _ = (contacts_in(text), links_in(text), link_key(text), text_and_links(text), words(text));
        }
        prop_assert_eq!(char_match(a, b), char_match(b, a));
        prop_assert_eq!(char_match(a, a), CharMatch::Same);
    }
}

#[test]
fn every_character_folds_to_something_stable() {
    // Beyond the first two planes there are ideographs, tags and private use: nothing that folds.
    for c in ('\0'..='\u{1FFFF}').chain('\u{E0000}'..='\u{E0FFF}') {
        let text = c.to_string();
        let folded = fold(&text);
        assert_eq!(fold(&folded), folded, "U+{:04X}", u32::from(c));
        let digit = ascii_digit(c);
        assert!(digit == c || digit.is_ascii_digit());
        assert!(!c.is_numeric() || fold(&text).chars().all(|f| !('٠'..='٩').contains(&f)));
    }
}

/// One name a row: the first spelling is the one the others must share a key with.
const NAMES: &str = "
قاسم/Qasem/Qassim/Kasim
سلیمانی/Soleimani/Sulaimani/Suleymani
محمد/Muhammad/Mohammed/Mohamad/Мухаммад/मुहम्मद
خان/Khan/Хан/खान/Xan
تحریک/tehreek/tahrik
طالبان/Taliban/Талибан/तालिबान
حسین/Хусейн/Hussain/Husayn/Hossein/हुसैन
احمد/अहमद/Ahmad/Ahmed/Ахмад
شیخ/sheikh/shaikh/Шейх/शेख
عبداللہ/Abdullah/عبد الله/Abdulla
عثمان/Usman/Uthman/Osman/Осман/उस्मान
عمر/Umar/Omar/Умар/Омар
علی اکبر/Ali Akbar/Aliakbar
ابراهیم/Ibrahim/Ebrahim/Ибрагим
یوسف/Yusuf/Yousef/Юсуф/यूसुफ़
داود/Dawood/Daud/Давуд/दाऊद
ولید/Walid/Waleed/Валид
مسعود/Masood/Masoud/Масуд/मसूद
ملا/Mulla/Mullah/Мулла
حقانی/Haqqani/Haqani/Хаккани/हक़्क़ानी
محسود/Mehsud/Mahsud/Mehsood
وزیری/Waziri/Vaziri/Вазири
بلوچ/Baloch/Balouch/Белудж
پاکستان/Pakistan/Пакистан/पाकिस्तान
افغان/Afghan/Афган/अफ़ग़ान
جهاد/Jihad/Jehad/Джихад/जिहाद
نواز/Nawaz/Navaz/नवाज़
زرداری/Zardari/ज़रदारी
بھٹو/Bhutto/Бхутто/भुट्टो
قریشی/Qureshi/Quraishi/Koreshi/कुरैशी
ذاکر/Zakir/Dhakir/Закир/ज़ाकिर
رمضان/Ramzan/Ramazan/Рамазан/रमज़ान/Ramadan
رضا/Reza/Raza/Rida/Реза/रज़ा
فاطمة/Fatima/Fatimah/Фатима/फ़ातिमा/فاطمه
عائشہ/Ayesha/Aisha/Aysha/Айша/आयशा
مریم/Maryam/Mariam/Марьям/मरियम
خالد/Khalid/Khaled/Халид/ख़ालिद
طارق/Tariq/Tarek/Tarik/Тарик/तारिक़
سعید/Saeed/Said/Саид/सईद
جعفر/Jafar/Jaafar/Ja'far/Джафар/जाफ़र
مصطفی/Mustafa/Mostafa/Мустафа/मुस्तफ़ा
ممتاز/Mumtaz/Mumtaaz/मुमताज़
عبدالرحمن/Abdul Rahman/Abdurrahman/Abdur Rehman/Абдурахман
صلاح الدین/Salahuddin/Salah al-Din/Салахуддин
سراج الدین/Sirajuddin/Serajuddin/Сираджуддин
بغدادی/Baghdadi/Bagdadi/Багдади
زرقاوی/Zarqawi/Zarkawi/Заркави
ظواهری/Zawahiri/Dhawahiri/Завахири
اسامه/Osama/Usama/Усама/ओसामा
غنی/Ghani/Gani/Гани/ग़नी
شاہ/Shah/शाह
مهدی/Mahdi/Mehdi/Махди/मेहदी
حمزه/Hamza/Hamzah/Хамза/हमज़ा
بلال/Bilal/Belal/Билал/बिलाल
سجاد/Sajjad/Sajad/सज्जाद
رسول/Rasool/Rasul/Расул/रसूल
فاروق/Farooq/Faruk/Farouk/Фарук/फ़ारूक़
چودھری/Chaudhry/Choudhary/चौधरी
شهباز/Shahbaz/Shehbaz/Шахбаз/शहबाज़
پرویز/Parvez/Pervaiz/Parviz/Первез/परवेज़
مشرف/Musharraf/Mosharraf/Мушарраф/मुशर्रफ़
عمران/Imran/Emran/Имран/इमरान
عیسی/Isa/Eisa/Иса/ईसा
یاسر/Yasir/Yaser/Ясир/यासिर
وسیم/Wasim/Waseem/Vasim/Васим/वसीम
ثاقب/Saqib/Thaqib/साक़िब
کشمیر/Kashmir/Cashmir/Кашмир/कश्मीर
پښتون/Pashtun/Pashtoon/پشتون/Пуштун
ځدران/Zadran/زدران
نور ولی/Noor Wali/Nur Vali
منظور/Manzoor/Manzur/Manzour/Манзур/मंज़ूर
گل بهادر/Gul Bahadur/Gul Bahadar/Гуль Бахадур
حافظ/Hafiz/Hafez/Hafidh/Хафиз/हाफ़िज़
شهید/Shahid/Shaheed/Шахид/शहीद
اسحاق/Ishaq/Eshaq/Исхак/इसहाक़
کریم/Karim/Kareem/Carim/Карим/करीम
جلال/Jalal/Jelal/Джалал/जलाल
خراسان/Khorasan/Khurasan/Хорасан/ख़ुरासान
امارت/Emarat/Imarat/Имарат
مجاهد/Mujahid/Mojahed/Моджахед/मुजाहिद
";

/// Distinct names that must keep apart, except for a few.
const DISTINCT: &str = "
Ali Ahmad Hassan Hussain Omar Usman Bilal Khalid Tariq Saeed Jafar Mustafa Mumtaz Abdurrahman Salahuddin Ibrahim Yusuf Dawood Walid Masood
Haqqani Mehsud Waziri Baloch Nawaz Zardari Bhutto Qureshi Zakir Ramzan Reza Fatima Aisha Maryam Farooq Shahbaz Pervez Musharraf Imran Yasir
Wasim Saqib Kashmir Manzoor Hafiz Shahid Ishaq Karim Jalal Mujahid Rashid Rahim Nasir Jamil Kamal Anwar Akbar Asif Arif Adil Amir Aziz Babar
Danish Ehsan Faisal Fahad Ghulam Habib Hamid Haroon Idris Iqbal Ismail Junaid Kashif Latif Majid Mahmood Malik Mansoor Murad Nadeem Naeem
Noman Qadir Rafiq Rauf Riaz Sabir Sadiq Salim Salman Sami Shafiq Shakil Sharif Sohail Sultan Tahir Talib Umair Waqar Yaqub Zahid Zaheer
Zubair Zulfiqar John Michael David Robert William James Richard Thomas Mark Paul Steven Andrew Peter George Kevin Brian Edward Ronald
Anthony Maria Anna Elena Olga Natalia Ivan Dmitry Sergei Vladimir Boris Igor Mikhail Pavel Raj Amit Sunil Vijay Deepak Rahul Sanjay Anil
Suresh Ramesh Rajesh Priya Pooja Neha Sita Gita Lakshmi Krishna Mohan Gandhi Modi Singh Sharma Gupta Patel Kumar Verma Chen Wang Liu Zhang
Garcia Martinez Rodriguez Lopez Hernandez Gonzalez Perez Sanchez
";

#[test]
fn spellings_of_one_name_meet() {
    let mut met = 0;
    let mut missed = Vec::new();
    for row in NAMES.lines().filter(|row| !row.is_empty()) {
        let mut spellings = row.split('/').map(str::trim);
        let first = spellings.next().unwrap_or_default();
        for other in spellings {
            if sound(first) == sound(other) {
                met += 1;
            } else {
                missed.push(format!("{first} {other}"));
            }
        }
    }
    let share = f64::from(met) / (f64::from(met) + missed.len() as f64);
    assert!(share >= 0.95, "{share:.3} meet; not: {missed:?}");
}

#[test]
fn distinct_names_keep_apart() {
    let mut keys: BTreeMap<String, u32> = BTreeMap::new();
    let names: Vec<&str> = DISTINCT.split_whitespace().collect();
    for name in &names {
        *keys.entry(sound(name)).or_default() += 1;
    }
    let met: u32 = keys.values().map(|count| count * (count - 1) / 2).sum();
    let pairs = names.len() * (names.len() - 1) / 2;
    assert!(
        f64::from(met) / pairs as f64 <= 0.001,
        "{met} of {pairs} pairs meet"
    );
}

#[test]
#[ignore = "prints timings: cargo test --release speed -- --ignored --nocapture"]
fn speed() {
    let bio = "official backup of the news desk. we report what others hide, follow for daily updates from the region and share with friends; contact us by message, our old page was removed again. thank you all";
    let arabic_bio = "تحریک کا سرکاری چینل، روزانہ کی خبریں اور بیانات یہاں شائع ہوتے ہیں۔ پرانا صفحہ بند کر دیا گیا ہے، دوستوں کے ساتھ شیئر کریں اور ہمارے ساتھ جڑے رہیں، شکریہ آپ سب کا بہت بہت شکریہ دوستو";
    for (label, text) in [
        ("ascii handle", "bad_actor_2024"),
        ("homoglyph handle", "Ваd_Аctоr_2024"),
        ("arabic handle", "تحریک_طالبان_۱"),
        ("ascii bio", bio),
        ("arabic bio", arabic_bio),
    ] {
        for (form, run) in [
            (
                "visible",
                (|t| black_box(visible(t)).len()) as fn(&str) -> usize,
            ),
            ("fold", |t| black_box(fold(t)).len()),
            ("compact", |t| black_box(compact(t)).len()),
            ("coarse", |t| black_box(coarse(t)).len()),
            ("words", |t| black_box(words(t)).len()),
            ("romanized", |t| black_box(romanized(t)).len()),
            ("sound", |t| black_box(sound(t)).len()),
            ("contacts", |t| black_box(contacts_in(t)).len()),
            ("links", |t| black_box(links_in(t)).len()),
        ] {
            run(text);
            let start = Instant::now();
            let rounds: u128 = 3000;
            for _ in 0..rounds {
                black_box(run(black_box(text)));
            }
            println!(
                "{label:18} {form:10} {:6} ns",
                start.elapsed().as_nanos() / rounds
            );
        }
    }
    let start = Instant::now();
    for _ in 0..3000 {
        black_box(link_key(black_box(
            "https://twitter.com/Bad_Actor/status/1?s=20",
        )));
    }
    println!("link_key {} ns", start.elapsed().as_nanos() / 3000);
}
